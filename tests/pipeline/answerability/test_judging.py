from pipeline.answerability.judging import answerability_judge
from pipeline.index.passages import Passage
from tests.pipeline.index.conftest import HashedWords

PASSAGE = Passage(
    id="a", document="a.md", title="Lampion", url="", heading="Strom", visibility="public", score=1.0, similarity=0.9,
    text="Lampion hat einen Akku. Geladen wird er mit einem Netzteil.",
)  # fmt: skip


def test_where_cosines_lie_close_together_sentences_are_compared_without_the_topic(vault) -> None:
    vault.write({f"note{n}.md": f"# Notiz {n}\n\nLampion steht im Regal Nummer {n}." for n in range(40)})
    embedder = HashedWords("multilingual-e5-small-judged")
    judge = answerability_judge(vault.settings, lambda: embedder)
    far = judge("Wie verbinde ich Lampion mit dem Kühlschrank?", [PASSAGE])
    assert embedder.seen == [
        "Wie verbinde ich mit dem Kühlschrank?",
        "Lampion > Strom\nLampion hat einen Akku.",
        "Lampion > Strom\nGeladen wird er mit einem Netzteil.",
    ]
    near = judge("Wird der Akku von Lampion mit einem Netzteil geladen?", [PASSAGE])
    assert near.probability > far.probability


def test_elsewhere_the_whole_passage_counts(vault) -> None:
    embedder = HashedWords()
    answerability_judge(vault.settings, lambda: embedder)("Wie verbinde ich Lampion?", [PASSAGE])
    assert embedder.seen == ["Wie verbinde ich Lampion?"]
