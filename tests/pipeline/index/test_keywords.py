import random
from contextlib import closing
from math import log

import numpy as np
import pytest

from pipeline.content.documents import Chunk, Document
from pipeline.index import store
from pipeline.index.database import Database
from pipeline.index.keywords import LONGEST, chunk_number, keyword_scores
from pipeline.text.tokens import query_tokens, tokens

WORDS = ("lathe", "chisel", "oil", "bench", "v0.12.1", "it's/that", "Müller", "木工", "sharpen", "plane_iron")
QUERIES = (
    *WORDS,
    "the sharpened chisel",
    "oil it: lathe, bench and plane",
    "MULLER's lathe_bench",
    "木工 v0.12.1 nothing",
)


def put(connection, number, visibility, text, title="Lathe"):
    document = Document(f"{number}.md", f"{number}.md", title, "", text, visibility, digest=str(number))
    store.put_document(connection, document, [Chunk(f"{number}#0", document.id, 0, (), "", text)], "")


@pytest.fixture
def connection(tmp_path):
    """300 chunks of chance words, the first much more common than the others; every third is private."""
    chance = random.Random(7)
    with closing(Database(tmp_path / "index.db")) as database, database.writing() as connection:
        for number in range(300):
            words = chance.choices(WORDS, [9, *[1] * 9], k=chance.randint(2, 40))
            put(connection, number, "public" if number % 3 else "private", " ".join(words))
        yield connection


def by_hand(connection, query, visibility):
    """The formula term by term and chunk by chunk; each document is one chunk, so its score is the chunk's."""
    rows = connection.execute(
        "SELECT chunks.id, title, text FROM chunks JOIN documents ON documents.id = document WHERE visibility = ? OR ?",
        (visibility, visibility is None),
    )
    texts = {row["id"]: tokens(row["title"]) + tokens(row["text"]) for row in rows}
    mean = sum(map(len, texts.values())) / len(texts)
    scores = {}
    for term in query_tokens(query):
        held = {id: words.count(term) for id, words in texts.items() if term in words}
        rarity = log(1 + (len(texts) - len(held) + 0.5) / (len(held) + 0.5))
        for id, times in held.items():
            norm = times + 0.9 * (0.25 + 0.75 * len(texts[id]) / mean)
            scores[id] = scores.get(id, 0) + rarity * 1.9 * times / norm
    return scores


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("visibility", ["public", None])
def test_scores_are_those_of_bm25(connection, query, visibility):
    scores = keyword_scores(connection, query_tokens(query), visibility, 1000)
    assert scores == pytest.approx(by_hand(connection, query, visibility), rel=1e-9)
    assert scores
    assert list(scores.values()) == sorted(scores.values(), reverse=True)


def test_of_equal_chunks_the_better_is_of_the_document_that_says_more_of_it(connection):
    for name, second in (("a", "Nothing of that."), ("b", "Quokkas eat leaves."), ("c", "Nothing of that.")):
        document = Document(f"{name}.md", f"{name}.md", "Lathe", "", "", "public", digest=name)
        texts = ("A quokka sleeps.", second, "The end of it.")
        chunks = [Chunk(f"{name}#{place}", document.id, place, (), "", text) for place, text in enumerate(texts)]
        store.put_document(connection, document, chunks, "")
    found = keyword_scores(connection, query_tokens("quokka"), "public", 10)
    assert set(list(found)[:2]) == {"b#0", "b#1"}
    assert found["a#0"] == found["c#0"] < found["b#0"]


def test_nothing_indexed(tmp_path):
    with closing(Database(tmp_path / "index.db")) as database, database.writing() as connection:
        assert keyword_scores(connection, query_tokens("chisel"), None, 10) == {}


@pytest.mark.parametrize("query", QUERIES)
def test_the_best_are_the_first_of_all(connection, query):
    every = list(keyword_scores(connection, query_tokens(query), None, 1000).items())
    assert list(keyword_scores(connection, query_tokens(query), None, 20).values()) == [
        score for _, score in every[:20]
    ]


def test_private_scores_are_those_of_everything_without_the_public_chunks(connection):
    every = keyword_scores(connection, query_tokens("oil the chisel"), None, 1000)
    private = keyword_scores(connection, query_tokens("oil the chisel"), "private", 1000)
    assert private == {id: score for id, score in every.items() if int(id.split("#")[0]) % 3 == 0}


def test_only_the_chunks_that_may_be_found_are(connection):
    numbers = [row[0] for row in connection.execute("SELECT number FROM chunks WHERE document IN ('7.md', '8.md')")]
    found = keyword_scores(connection, query_tokens(" ".join(WORDS)), None, 1000, np.array(numbers))
    every = keyword_scores(connection, query_tokens(" ".join(WORDS)), None, 1000)
    assert found == {id: every[id] for id in ("7#0", "8#0")}


def test_scores_after_changes_are_those_of_an_index_made_at_once(connection, tmp_path):
    for number in range(0, 300, 2):
        put(connection, number, "public", f"chisel {WORDS[number % 10]}")
    for number in range(0, 300, 5):
        store.remove_document(connection, f"{number}.md")
    rows = connection.execute("SELECT id, text, (SELECT visibility FROM documents WHERE id = document) FROM chunks")
    with closing(Database(tmp_path / "fresh.db")) as database, database.writing() as fresh:
        for id, text, visibility in rows.fetchall():
            put(fresh, int(id.split("#")[0]), visibility, text)
        for visibility in ("public", "private", None):
            assert keyword_scores(connection, query_tokens("chisel and oil"), visibility, 1000) == pytest.approx(
                keyword_scores(fresh, query_tokens("chisel and oil"), visibility, 1000)
            )


def test_a_chunk_of_any_length_keeps_its_place():
    words = ["word"] * (3 * LONGEST)
    numbers = [chunk_number(place, ["title"], words[:length]) for place in range(3) for length in (0, 9, len(words))]
    assert numbers == sorted(set(numbers))
    assert [number & LONGEST for number in numbers[:3]] == [1, 10, LONGEST]


def test_tokens_are_stored_as_they_are_asked_for(connection):
    for word in WORDS:
        for token in query_tokens(word):
            assert connection.execute("SELECT 1 FROM keywords_places WHERE term = ?", (token,)).fetchone(), token


def test_totals_are_those_of_the_chunks(connection):
    put(connection, 1, "private", "turned private")
    store.remove_document(connection, "2.md")
    totals = connection.execute("SELECT visibility, documents, chunks, tokens FROM keyword_totals").fetchall()
    counted = connection.execute(
        f"SELECT visibility, COUNT(DISTINCT document), COUNT(*), SUM(number & {LONGEST}) FROM chunks JOIN documents ON documents.id = document"
        " GROUP BY visibility"
    ).fetchall()
    assert {tuple(row) for row in totals} == {tuple(row) for row in counted}
