import numpy as np
import pytest

from pipeline.index.reading import LONGEST, WEIGHT, by_sentence, nearest_sentences
from tests.pipeline.index.conftest import HashedWords

MANY = "Der Ofen steht in der Küche. Das Brot backt eine Stunde. Die Katze schläft. Die Post kommt um zehn."
E5 = "multilingual-e5-small-test"


def test_the_nearest_sentence_of_each_text():
    embedder = HashedWords()
    question = embedder.embed_query("Brot\nWie lange backt das Brot?")
    texts = {"a": f"Brot\n{MANY}", "b": "Brot\nDie Katze schläft.", "c": "Leer\n"}
    found = nearest_sentences(question, texts, embedder.embed)
    assert found.keys() == {"a", "b"}
    assert found["a"] == pytest.approx(float(embedder.embed_query("Brot\nDas Brot backt eine Stunde.") @ question))
    assert found["a"] > found["b"]


def test_a_sentence_is_read_once_and_not_to_its_end_if_it_is_long():
    embedder = HashedWords()
    nearest_sentences(np.ones(256), {"a": f"T\n{'lang ' * 200}", "b": "T\nKurz.", "c": "T\nKurz."}, embedder.embed)
    assert [len(text) for text in embedder.seen] == [2 + LONGEST, 7]


def test_the_nearest_sentence_counts_above_what_unrelated_texts_have():
    scores = by_sentence({"a": 0.5, "b": 0.6, "c": 0.4}, {"a": 0.88, "b": 0.83}, 0.78)
    assert scores["a"] == pytest.approx((0.5 + WEIGHT) / (1 + WEIGHT))
    assert scores["b"] == pytest.approx((0.6 + WEIGHT / 2) / (1 + WEIGHT))
    assert scores["c"] == pytest.approx(0.4 / (1 + WEIGHT))


def test_sentences_that_have_nothing_to_do_with_the_question_change_no_order():
    assert by_sentence({"a": 0.5, "b": 0.6}, {"a": 0.7}, 0.78) == {"a": 0.5, "b": 0.6}
    assert by_sentence({"a": 0.5}, {}, 0.78) == {"a": 0.5}


@pytest.fixture
def kitchen(site):
    site.embedder = HashedWords(E5)
    site.write("a.md", f"# Haus\n\n{MANY}\n")
    site.write(
        "b.md", "# Haus\n\nBrot steht in der Küche, Brot steht im Haus, und das Brot ist das beste Brot im Haus.\n"
    )
    site.write("c.md", "---\nprivate: true\n---\n# Haus\n\nDas Brot backt heimlich.\n")
    site.index.sync()
    return site


def test_a_search_reads_the_sentences_where_cosines_lie_close_together(kitchen):
    question = "Haus: Wie lange backt das Brot eine Stunde?"
    found = kitchen.index.search(question, 2, visibility="public", explain=True)
    assert {passage.document: passage.aligned.rank for passage in found.explanation.passages} == {
        "notes/a.md": 1,
        "notes/b.md": 2,
    }
    assert 1 >= found.passages[0].score > found.passages[1].score > 0


@pytest.mark.parametrize("change", ["setting", "mode", "embedder", "call"])
def test_elsewhere_no_sentence_is_read(kitchen, change):
    mode = "hybrid"
    if change == "setting":
        kitchen.settings.retrieval.align = False
    elif change == "mode":
        mode = "dense"
    elif change == "embedder":
        kitchen.embedder.name = kitchen.embedder.spec = "another"
        kitchen.index.sync(rebuild=True)
    found = kitchen.open(mode=mode).search("Wie lange backt das Brot?", 2, explain=True, sentences=change != "call")
    assert found.passages
    assert all(passage.aligned is None for passage in found.explanation.passages)


def test_a_verb_is_met_in_another_form(site):
    site.write("a.md", "# Postfach\n\nEin gelöschtes Postfach wird nach fünf Tagen entfernt.\n")
    site.write("b.md", "# Postfach\n\nEin Postfach wird von Hand angelegt.\n")
    site.index.sync()
    found = site.open(mode="keyword").search("Wann kann man das Postfach löschen?", 2).passages
    assert [passage.document for passage in found] == ["notes/a.md", "notes/b.md"]
