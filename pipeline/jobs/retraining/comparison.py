"""The comparison of a retraining: an evaluation of the new adapter and the one before, on what neither was trained on."""

from collections.abc import Callable, Sequence

from pipeline.adapters import BASE, Adapter
from pipeline.dataset import versions
from pipeline.dataset.records import Pair, Split
from pipeline.dataset.versions import DatasetRow
from pipeline.dataset.voice.pairs import is_of_voice
from pipeline.errors import SettingsError
from pipeline.evaluation.adapter_scores import LONGEST_ANSWER
from pipeline.evaluation.comparing import Comparison, ScoredMode, by_measure
from pipeline.evaluation.golden import GoldenQuestion, golden_questions
from pipeline.evaluation.golden_draft import from_pair
from pipeline.evaluation.measures import About, measures
from pipeline.evaluation.systems import find_system
from pipeline.evaluation.voice.about import ABOUT
from pipeline.jobs.evaluating.record import COSTS, Evaluation
from pipeline.jobs.evaluating.report.writing import write_report
from pipeline.jobs.evaluating.run import evaluate, sample
from pipeline.progress import ProgressReport
from pipeline.settings import Settings, Visibility
from pipeline.training import registry
from pipeline.training.registry import RunScore

MODES: tuple[ScoredMode, ...] = ("lora", "hybrid")
MOST_QUESTIONS = 60


def named_measures(settings: Settings) -> list[About]:
    """The measures in which a new adapter must not be worse.

    Raises:
        SettingsError: there is none of a name, or it is a cost, which depends on what else the machine does.
    """
    known = {one.key: one for one in (*measures(), *ABOUT.values()) if one.unit not in COSTS}
    wrong = next((name for name in settings.retrain.not_worse if name not in known), None)
    if wrong:
        raise SettingsError(f"retrain.not_worse: there is no measure {wrong!r}: name some of {', '.join(known)}")
    return [known[name] for name in settings.retrain.not_worse]


def held_out(settings: Settings, data_set: int, old: int | None) -> list[GoldenQuestion]:
    """The owner's golden questions, filled up with pairs of the test split.

    Args:
        settings: the site's settings.
        data_set: the version that the new adapter was trained on.
        old: the one of the adapter before; its questions and documents are left out. None: it is not known.

    Raises:
        SitetwinError: there is no such data set, or the golden questions can't be read.
    """
    asked = sample(golden_questions(settings), MOST_QUESTIONS)
    known, documents = _trained(settings, old) if old in versions.versions(settings) else (set(), set())
    pairs = [
        row.pair
        for row in _rows(settings, data_set, "test")
        # What the owner once said in a chat is no answer that is right or wrong.
        if row.pair.question not in known and row.pair.source not in documents and not is_of_voice(row.pair)
    ]
    there = {golden.question for golden in asked}
    new = [_golden(pair) for pair in pairs if pair.question not in there]
    return [*asked, *sample(new, MOST_QUESTIONS - len(asked))]


def compare(
    settings: Settings,
    new: str,
    old: Adapter | None,
    asked: Sequence[GoldenQuestion],
    *,
    visibility: Visibility | None,
    progress: ProgressReport,
    cancelled: Callable[[], bool],
) -> tuple[Evaluation, list[Comparison]]:
    """Evaluates both adapters in the modes lora and hybrid, and says by each named measure whether the new one is worse.

    It waits for an evaluation that is under way: hours of training must not end with that.

    Args:
        settings: the site's settings.
        new: the new adapter.
        old: the adapter before; None: the base, which gets the same words before the question.
        asked: the questions.
        visibility: `public` if visitors will be answered by the new one.
        progress: is told how many answers there are, of how many.
        cancelled: tells whether to stop.

    Raises:
        CancelledError: `cancelled()` was true. What was answered is kept.
        SitetwinError: as `evaluate`.
    """
    before = old.name if old else BASE
    chat = settings.chat.model_copy(update={"max_tokens": min(LONGEST_ANSWER, settings.chat.max_tokens)})
    made = evaluate(
        settings.model_copy(update={"chat": chat}),
        [find_system(settings, f"{mode}:{name}") for mode in MODES for name in (before, new)],
        asked,
        file="golden and held-out questions",
        visibility=visibility,
        progress=progress,
        cancelled=cancelled,
        waits=True,
    )
    write_report(settings, made)
    comparisons = [_by(made, about, mode, new, old) for mode in MODES for about in named_measures(settings)]
    return made, comparisons


def record_accuracy(settings: Settings, run: str, made: Evaluation) -> None:
    """Writes the accuracy in both modes into the record of `run`, so that `sitetwin runs` shows it."""
    found = {mode: made.systems[f"{mode}:{run}"].figures.get("accuracy") for mode in MODES}
    registry.keep_scores(
        settings,
        run,
        [
            RunScore(
                adapter=run, asked="golden", mode=mode, questions=figure.all.count, mean=figure.all.value,
                by_kind={kind: estimate.value for kind, estimate in figure.kinds.items()},
            )
            for mode, figure in found.items()
            if figure
        ],
    )  # fmt: skip


def _golden(pair: Pair) -> GoldenQuestion:
    """The pair as a golden question; one whose answer has no fact to check is judged by its words alone."""
    if proposal := from_pair(pair, pair.answer, ""):
        return proposal.golden
    return GoldenQuestion(question=pair.question, kind="voice", reference=pair.answer)


def _by(made: Evaluation, about: About, mode: ScoredMode, new: str, old: Adapter | None) -> Comparison:
    ours, theirs = f"{mode}:{new}", f"{mode}:{old.name if old else BASE}"
    # The table has each pair once, in the order in which the systems were named: the old one first.
    compared = next((one for one in made.comparisons if (one.a, one.b, one.measure) == (theirs, ours, about.key)), None)
    figures = [made.systems[name].figures.get(about.key) for name in (ours, theirs)]
    means = tuple(figure.all.value if figure else 0.0 for figure in figures)
    return by_measure(compared, about, mode, new, old.name if old else None, (means[0], means[1]))


def _trained(settings: Settings, data_set: int | None) -> tuple[set[str], set[str]]:
    """The questions of a data set's training split, and its documents if it is split by document."""
    rows = _rows(settings, data_set, "train")
    card = versions.read_card(versions.version_folder(settings, data_set))
    documents = {row.pair.source for row in rows} if card.settings.split_by == "document" else set()
    return {row.pair.question for row in rows}, documents


def _rows(settings: Settings, data_set: int | None, split: Split) -> list[DatasetRow]:
    return [row for row in versions.read_rows(versions.version_folder(settings, data_set)) if row.split == split]
