import pytest
from lfx.schema.data import Data
from lfx.schema.dataframe import DataFrame

from components.pairs import chunks_from, chunks_to_table, pairs_from, pairs_to_table, reviewed_to_table
from pipeline.dataset.records import Candidate, Pair, PairSource, Rejection

RISE = PairSource("docs/my bread.md#1a-0", "docs/my bread.md", 3, "Bread", "Rise", "Two hours.", "public")
OVEN = PairSource("docs/bread.md#2b-0", "docs/bread.md", 4, "Bread", "", "At 240 degrees.", "private")


def pair(kind: str = "fact", *sources: PairSource) -> Pair:
    return Pair(
        question=f"{kind}: how long?", answer="Two hours.", kind=kind, source="docs/my bread.md", chunk_index=3,  # type: ignore[arg-type]
        chunks=tuple(source.chunk for source in sources), accuracy=9, style=4,
    )  # fmt: skip


FACT = Candidate(pair("fact", RISE), (RISE,))
SYNTHESIS = Candidate(pair("synthesis", RISE, OVEN), (RISE, OVEN))


def test_a_table_gives_back_the_chunks_it_was_made_of() -> None:
    assert chunks_from(chunks_to_table([RISE, OVEN])) == [RISE, OVEN]


def test_another_splitters_rows_need_only_a_text() -> None:
    first, second = chunks_from([DataFrame([{"text": "Two hours.", "file_path": "a.md"}]), Data(data={"text": "Tea."})])
    assert (first.document, first.index, first.title, first.text) == ("a.md", 0, "a.md", "Two hours.")
    assert (second.index, second.visibility) == (1, "private")
    with pytest.raises(ValueError, match="row 2 has no text"):
        chunks_from(DataFrame([{"text": "Tea."}, {"title": "Bread"}]))


def test_a_table_gives_back_the_pairs_it_was_made_of() -> None:
    table = pairs_to_table([FACT, SYNTHESIS])
    assert list(table.columns[:7]) == ["question", "answer", "kind", "accuracy", "style", "source", "chunk_index"]
    fact, synthesis = pairs_from(table)
    assert fact == FACT
    assert synthesis.pair == SYNTHESIS.pair
    assert [(s.text, s.heading, s.visibility) for s in synthesis.sources] == [
        ("Two hours.\n\nAt 240 degrees.", "Rise", "private")
    ]


def test_a_table_without_pairs_says_what_to_connect() -> None:
    with pytest.raises(ValueError, match=r"row 1 has no question, answer, kind.*connect the Teacher's Pairs"):
        pairs_from(chunks_to_table([RISE]).drop(columns="document"))
    for nothing in (None, "", [""]):
        with pytest.raises(ValueError, match="connect Notes to Chunks"):
            chunks_from(nothing)


def test_each_pair_stands_there_once_with_what_the_filter_says() -> None:
    table = reviewed_to_table(
        [FACT, SYNTHESIS, FACT], {SYNTHESIS.pair.id: Rejection(stage="score", reason="its style is 4 of 10")}
    )
    assert list(table["accepted"]) == [True, False]
    assert list(table["reason"]) == ["", "score: its style is 4 of 10"]
    assert [candidate.pair for candidate in pairs_from(table)] == [FACT.pair, SYNTHESIS.pair]
