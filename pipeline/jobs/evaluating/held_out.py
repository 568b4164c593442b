"""What adapters are asked: the owner's golden questions and pairs that none of them was trained on, or pairs that it was."""

from pipeline.dataset import versions
from pipeline.dataset.records import Pair, Split
from pipeline.dataset.versions import DatasetRow
from pipeline.dataset.voice.pairs import is_of_voice
from pipeline.evaluation.golden import GoldenQuestion, golden_questions
from pipeline.evaluation.golden_draft import from_pair
from pipeline.jobs.evaluating.run import sample
from pipeline.settings import Settings

MOST_QUESTIONS = 60
LONGEST_ANSWER = 160
"""The most tokens of an answer. The pairs' answers are a few sentences long."""


def held_out(settings: Settings, data_set: int, old: int | None, limit: int = MOST_QUESTIONS) -> list[GoldenQuestion]:
    """The owner's golden questions, filled up with pairs of the test split.

    Args:
        settings: the site's settings.
        data_set: the version that the new adapter was trained on.
        old: the one of the adapter before; its questions and documents are left out. None: it is not known.
        limit: the most questions.

    Raises:
        SitetwinError: there is no such data set, or the golden questions can't be read.
    """
    asked = sample(golden_questions(settings), limit)
    known, documents = _trained(settings, old) if old in versions.versions(settings) else (set(), set())
    there = {golden.question for golden in asked}
    new = [
        as_golden(pair)
        for pair in _pairs(settings, data_set, "test")
        if pair.question not in known | there and pair.source not in documents
    ]
    return [*asked, *sample(new, limit - len(asked))]


def trained_on(settings: Settings, data_set: int, limit: int = MOST_QUESTIONS) -> list[GoldenQuestion]:
    """Pairs of the training split, to see what an adapter has learnt by heart.

    Raises:
        SitetwinError: there is no such data set.
    """
    return sample([as_golden(pair) for pair in _pairs(settings, data_set, "train")], limit)


def short_answers(settings: Settings) -> Settings:
    """The settings with answers that are about as long as those of pairs, so that a model that can't end is cut off."""
    chat = settings.chat.model_copy(update={"max_tokens": min(LONGEST_ANSWER, settings.chat.max_tokens)})
    return settings.model_copy(update={"chat": chat})


def as_golden(pair: Pair) -> GoldenQuestion:
    """The pair as a golden question; one whose answer has no fact to check is judged by its words alone."""
    if proposal := from_pair(pair, pair.answer, ""):
        return proposal.golden
    return GoldenQuestion(question=pair.question, kind="voice", reference=pair.answer)


def _pairs(settings: Settings, data_set: int, split: Split) -> list[Pair]:
    """The pairs of a split. What the owner once said in a chat is no answer that is right or wrong, and is left out."""
    return [row.pair for row in _rows(settings, data_set, split) if not is_of_voice(row.pair)]


def _trained(settings: Settings, data_set: int | None) -> tuple[set[str], set[str]]:
    """The questions of a data set's training split, and its documents if it is split by document."""
    rows = _rows(settings, data_set, "train")
    card = versions.read_card(versions.version_folder(settings, data_set))
    documents = {row.pair.source for row in rows} if card.settings.split_by == "document" else set()
    return {row.pair.question for row in rows}, documents


def _rows(settings: Settings, data_set: int | None, split: Split) -> list[DatasetRow]:
    return [row for row in versions.read_rows(versions.version_folder(settings, data_set)) if row.split == split]
