import sqlite3

import pytest

from pipeline.errors import SitetwinError, StaleIndexError

LONG = " ".join(["It is kept dry and oiled."] * 30)


@pytest.fixture
def manual(site):
    site.write(
        "mcp.md",
        f"# Agents\n\nPut it in `mcp_settings.json`. {LONG}\n\n## Remote hosts\n\nSet `maxTokens` first. {LONG}\n",
    )
    site.write("training.md", "# Training\n\nThe `lora_parameters` changed in v0.12.1 and again in v0.13.0.\n")
    site.write(
        "diary.md", "---\nprivate: true\n---\n# Diary\n\nThe safe's combination is 7741, under lora_parameters.\n"
    )
    site.index.sync()
    return site


@pytest.mark.parametrize("retrieval", ["hybrid", "keyword"])
@pytest.mark.parametrize(
    ("query", "note"),
    [
        ("mcp_settings.json", "mcp.md"),
        ("settings.json for MCP", "mcp.md"),
        ("max tokens", "mcp.md"),
        ("MAXTOKENS", "mcp.md"),
        ("v0.12.1", "training.md"),
        ("0.13.0", "training.md"),
        ("trained", "training.md"),
    ],
)
def test_names_are_found_whole_and_in_parts(manual, query, note, retrieval):
    assert manual.found(query, retrieval=retrieval)[0] == note


@pytest.mark.parametrize("retrieval", ["hybrid", "dense", "keyword"])
@pytest.mark.parametrize(
    "query",
    [
        "the",
        "?",
        '"',
        '" OR 1',
        "NOT",
        "a AND",
        "NEAR(x, 3)",
        "body:x",
        "-",
        "*",
        "^x",
        "'; DROP TABLE chunks; --",
        "\x00",
        "🙂",
        "x" * 5000,
    ],
)
def test_odd_questions_do_no_harm(manual, query, retrieval):
    result = manual.index.search(query, retrieval=retrieval)
    assert result.query == query
    assert len(result.passages) <= 4


@pytest.mark.parametrize("query", ["", "  \n"])
def test_an_empty_question_is_refused(manual, query):
    with pytest.raises(SitetwinError, match="empty"):
        manual.index.search(query)


@pytest.mark.parametrize("retrieval", ["hybrid", "dense", "keyword"])
def test_private_text_is_never_public(manual, retrieval):
    question = "The safe's combination is 7741, under lora_parameters."
    public = manual.index.search(question, 20, retrieval, "public").passages
    assert public
    assert {passage.visibility for passage in public} == {"public"}
    assert "diary.md" in manual.found(question, retrieval=retrieval)
    assert manual.found(question, retrieval=retrieval, visibility="private") == ["diary.md"]


def test_private_text_takes_no_public_place(site):
    for number in range(60):
        site.write(f"secret-{number}.md", f"---\nprivate: true\n---\nThe combination of the safe, note {number}.\n")
    site.write("public.md", "How a safe is oiled.\n")
    site.settings.retrieval.candidates = 10
    with site.open() as index:
        index.sync()
        for retrieval in ("hybrid", "dense", "keyword"):
            passages = index.search("combination of the safe", 3, retrieval, "public").passages
            assert [passage.document for passage in passages] == ["notes/public.md"]


def test_a_passage_says_where_it_is_from(manual):
    passage = manual.index.search("maxTokens of remote hosts").passages[0]
    assert (passage.document, passage.title, passage.heading) == ("notes/mcp.md", "Agents", "Remote hosts")
    assert passage.url == "/mcp#remote-hosts"
    assert "maxTokens" in passage.text
    assert passage.similarity == pytest.approx(manual.similarity("maxTokens of remote hosts", passage), abs=1e-3)


def test_scores_fall_and_each_stage_gives_its_own(manual):
    for retrieval in ("hybrid", "dense", "keyword"):
        result = manual.index.search("lora_parameters in v0.12.1", 10, retrieval)
        scores = [passage.score for passage in result.passages]
        assert scores == sorted(scores, reverse=True)
        assert len({passage.id for passage in result.passages}) == len(scores)
        assert all((passage.similarity is None) == (retrieval == "keyword") for passage in result.passages)
        assert result.took_ms > 0


def test_a_passage_that_only_its_keywords_found_has_a_similarity(manual):
    manual.settings.retrieval.candidates = 1
    with manual.open() as index:
        passages = index.search("agents kept dry, oiled: v0.12.1 lora_parameters training", 3).passages
    assert len(passages) >= 1
    assert all(passage.similarity is not None for passage in passages)


def test_before_the_first_sync_the_next_step_is_said(site):
    for retrieval in ("hybrid", "dense", "keyword"):
        with pytest.raises(StaleIndexError, match="run `sitetwin index`"):
            site.index.search("anything", retrieval=retrieval)
    assert not site.settings.state.exists()


def test_an_index_of_an_empty_site_finds_nothing(site):
    site.index.sync()
    assert site.index.search("anything").passages == []


def test_an_index_of_another_version_is_rebuilt(manual):
    manual.index.close()
    with sqlite3.connect(manual.settings.state / "index.db") as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    with manual.open() as index:
        with pytest.raises(StaleIndexError, match="--rebuild"):
            index.search("v0.12.1")
        index.sync(rebuild=True)
        assert index.search("v0.12.1").passages[0].document == "notes/training.md"


def test_a_damaged_index_is_rebuilt(manual):
    manual.index.close()
    for name in ("index.db-wal", "index.db-shm"):
        (manual.settings.state / name).unlink(missing_ok=True)
    (manual.settings.state / "index.db").write_bytes(b"no database at all" * 500)
    with manual.open() as index:
        with pytest.raises(SitetwinError, match="--rebuild"):
            index.search("v0.12.1")
        index.sync(rebuild=True)
        assert index.search("v0.12.1").passages[0].document == "notes/training.md"


def test_a_passage_has_the_day_of_its_document(site):
    site.write("2024-01-05.md", "Tulips by the gate.\n")
    site.write("a.md", "Tulips by the shed.\n")
    site.write("private.md", "---\nprivate: true\ndate: 2023-02-03\n---\nPeas.\n")
    site.index.sync()
    found = site.index.search("tulips", retrieval="keyword").passages
    assert {passage.document: passage.date for passage in found} == {
        "notes/2024-01-05.md": "2024-01-05",
        "notes/a.md": "",
    }
    assert {str(day) for day in site.index.days("public")} == {"2024-01-05"}
    assert {str(day) for day in site.index.days()} == {"2024-01-05", "2023-02-03"}


def test_the_folders_of_a_note_are_words_of_it(site):
    site.write("recipes/soups/ribollita.md", "# Ribollita\n\nBeans and old bread.\n")
    site.write("recipes/breads/rye.md", "# Rye\n\nA slow dough.\n")
    site.index.sync()
    assert site.found("which soups", retrieval="keyword") == ["recipes/soups/ribollita.md"]
