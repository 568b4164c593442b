"""Faithfulness: the share of an answer's sentences that the notes hold.

faithfulness = sentences of which a passage holds the statement, and the passages every name, number and link / sentences.
The definition is that of RAGAS (Es et al., 2023: supported statements / statements); where RAGAS asks a model, this one
uses the check that written answers pass before they are shown (`pipeline.chat.grounds`, `citations.support`), so the same
answer always gets the same figure. Every system is held against the same kind of evidence, also one that was shown none.
"""

from pipeline.chat.citations import SUPPORTED, support, without_marks
from pipeline.chat.grounds import Grounds
from pipeline.evaluation.measures.measure import Judged, Measure
from pipeline.text.pieces import bare, split_sentences
from pipeline.text.words import content_stems


def _share(judged: Judged) -> float | None:
    if judged.answer.refused:
        return None
    said = [
        sentence for sentence in split_sentences(without_marks(judged.answer.answer)) if content_stems(bare(sentence))
    ]
    if not said:
        return None
    grounds = Grounds(judged.evidence, judged.question.question)
    return sum(_is_held(sentence, judged, grounds) for sentence in said) / len(said)


def _is_held(sentence: str, judged: Judged, grounds: Grounds) -> bool:
    if grounds.lacking(sentence):
        return False
    texts = (f"{passage.title} {passage.heading} {passage.text}" for passage in judged.evidence)
    return any(support(sentence, text) >= SUPPORTED for text in texts)


FAITHFULNESS = Measure(
    key="faithfulness",
    title="Faithfulness",
    sentence="Of the sentences that were said, how many the notes say too, with the same names and numbers.",
    cannot_see="a sentence that turns the notes' own words round, and one that says the same in quite other words",
    of=_share,
)
