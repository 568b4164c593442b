"""How figures, differences and what follows from them are said."""

from collections.abc import Sequence

from pipeline.advice import steps
from pipeline.advice.evaluations import parsed
from pipeline.evaluation.doubt import Estimate, questions_needed, visible_gap
from pipeline.evaluation.figures import Compared, Figure
from pipeline.evaluation.golden import is_page
from pipeline.evaluation.measures import JUDGED, MEASURES, About, measures
from pipeline.evaluation.voice.about import ABOUT
from pipeline.jobs.evaluating.record import COSTS, Evaluation, SystemResult

HOPED = 0.1
"""The difference for which the report says how many questions would show it."""
DASH = "–"


def asked(evaluation: Evaluation) -> str:
    """What was asked of what on which machine, in two sentences."""
    machine = evaluation.machine
    count = len(evaluation.questions)
    answered = "as visitors are answered" if evaluation.visibility == "public" else "as the owner is answered"
    return (
        f"{count} questions of `{evaluation.file}`, {evaluation.answerable} of them answerable, asked of "
        f"{', '.join(evaluation.systems)}, {answered}, on {evaluation.made_at:%Y-%m-%d}. Machine: {machine.system}, "
        f"{machine.cores} cores, {machine.memory_gb} GB, Python {machine.python}, sitetwin {machine.sitetwin}; "
        f"{evaluation.parallel} questions at a time; {evaluation.kept} of {count * len(evaluation.systems)} answers were kept "
        "from earlier evaluations."
    )


def described(key: str) -> About:
    """The measure called `key`."""
    found: About = (ABOUT | {JUDGED.key: JUDGED}).get(key) or MEASURES.load(key)
    return found


def shown_measures(evaluation: Evaluation) -> list[About]:
    """The measures that say something of at least one system, in the order of the table: quality, voice, cost."""
    first, *rest = measures()
    table: list[About] = [first, JUDGED, *rest]
    costs = next((place for place, one in enumerate(table) if one.unit in COSTS), len(table))
    ordered = [*table[:costs], *ABOUT.values(), *table[costs:]]
    return [one for one in ordered if any(one.key in result.figures for result in evaluation.systems.values())]


def scale(evaluation: Evaluation, key: str) -> str:
    """Between which floor and ceiling a figure of a voice stands; "" for other measures."""
    for result in evaluation.systems.values():
        found = result.figures.get(key)
        if found and found.floor is not None and found.ceiling is not None:
            unit = described(key).unit
            return f"others {number(found.floor, unit)}, the author {number(found.ceiling, unit)}"
    return ""


def titled(evaluation: Evaluation, about: About) -> str:
    """A measure's title, with its unit where the figures lack it, and with its scale if it has one."""
    if about.unit in ("tokens", "tokens/s"):
        return f"{about.title} ({about.unit})"
    between = scale(evaluation, about.key)
    return f"{about.title} ({between})" if between and about.key != "voice" else about.title


def number(value: float, unit: str) -> str:
    """A figure in its unit: shares as percentages, times in milliseconds or seconds."""
    if unit == "share":
        return f"{value:.0%}"
    if unit == "ms":
        return f"{value / 1000:.1f} s" if value >= 1000 else f"{value:.0f} ms"
    if unit == "distance":
        return f"{value:.2f}"
    return f"{value:.1f}" if abs(value) < 10 else f"{value:.0f}"


def with_doubt(found: Estimate | None, unit: str) -> str:
    """A figure with its interval; a dash if there is none."""
    if found is None:
        return DASH
    low, high = (
        number(bound, unit).removesuffix("%").removesuffix(" ms").removesuffix(" s")
        for bound in (found.low, found.high)
    )
    if unit == "ms" and found.high >= 1000 > found.low:
        low, high = number(found.low, unit), number(found.high, unit)
    return f"{number(found.value, unit)} ({low} to {high})"


def cell(figure: Figure | None, unit: str) -> str:
    """A figure of the table."""
    return with_doubt(figure.all if figure else None, unit)


def said(compared: Compared) -> str:
    """A comparison in one sentence."""
    measure = described(compared.measure)
    title = measure.title.lower()
    if not compared.is_shown:
        return f"{compared.a} and {compared.b}, {title}: no difference shown on {compared.questions} questions"
    points, low, high = (100 * value for value in (compared.difference, compared.low, compared.high))
    is_better = (compared.difference > 0) == (measure.better == "higher")
    return (
        f"{compared.b} is {'better' if is_better else 'worse'} than {compared.a}, {title}: {points:+.0f} points "
        f"({low:+.0f} to {high:+.0f}), {chance(compared.p)}"
    )


def chance(p: float) -> str:
    """A corrected p."""
    return "p < .001" if p < 0.001 else f"p = {p:.3f}".replace("0.", ".")


def doubts(evaluation: Evaluation) -> list[str]:
    """What these questions can show, and what they can't."""
    answerable = sum(bool(question.answerable and question.groups) for question in evaluation.questions)
    told = [
        f"{answerable} questions with facts show a difference in accuracy of {visible_gap(answerable):.0%} or more with a "
        f"chance of 80 %, before any correction. A difference of {HOPED:.0%} would take about {questions_needed(HOPED)} questions."
    ]
    if evaluation.comparisons:
        told.append(
            f"Every p is corrected for all {len(evaluation.comparisons)} comparisons of this report (Holm). “No difference "
            "shown” does not mean that there is none."
        )
    return told


def conclusions(evaluation: Evaluation) -> list[str]:
    """The differences that the answers show, accuracy first; a line says so if they show none. No full stops."""
    if len(evaluation.systems) < 2:
        return ["One system was asked, so there is nothing to compare it with"]
    shown = [said(compared) for compared in evaluation.comparisons if compared.is_shown]
    return shown or ["No difference between any two systems was shown"]


def next_steps(evaluation: Evaluation) -> list[str]:
    """What to do, from the figures: each sign with the command or setting that mends it."""
    found = steps.next_steps(parsed(evaluation.model_dump_json()))
    for name, result in evaluation.systems.items():
        seen, unseen = (getattr(result.figures.get("accuracy"), part, None) for part in ("seen", "unseen"))
        if result.system.mode == "lora" and seen and unseen and seen.low > unseen.high:
            found.append(f"{name} knows only what it was trained on: memory is not knowledge.")
    return found


def wrong(evaluation: Evaluation, name: str, question: str) -> str:
    """What was wrong with a system's answer, in words; "" if nothing was."""
    values = evaluation.systems[name].values
    found = {key: of[question] for key, of in values.items() if question in of}
    if found.get("wrongly_refused"):
        return "declined, and the notes answer it"
    if found.get("refusal_recall") == 0:
        return "answered, and the notes do not"
    if found.get("staleness"):
        return "said what the note said before"
    if evaluation.systems[name].labelled.get(question) is False:
        return "wrong, as a person said"
    if found.get("accuracy") == 0:
        part = found.get("completeness", 0)
        return f"said {part:.0%} of the facts" if part else "the fact is missing"
    return ""


def lost(evaluation: Evaluation, name: str, place: int) -> str:
    """What the search has to do with a wrong answer: that no page with the answer was found; "" if one was, or none is known."""
    pages, found = evaluation.questions[place].page, evaluation.systems[name].replies[place].passages
    if not found or not pages or any(is_page(one.document, page) for one in found for page in pages):
        return ""
    return "; its page was not found"


def trained(result: SystemResult) -> str:
    """How long the adapter was trained, and its size; a dash without one."""
    run = result.trained
    return f"{run.seconds / 60:.0f} minutes, {run.megabytes:.1f} MB" if run else DASH


def forgotten(result: SystemResult) -> str:
    """How the loss on general text has changed by the adapter; a dash if that was not measured."""
    return str(result.trained.forgetting) if result.trained and result.trained.forgetting else DASH


def failures(evaluation: Evaluation) -> Sequence[tuple[int, dict[str, str]]]:
    """The questions that some system got wrong, by their place, each with what was wrong by system."""
    found = []
    for place, question in enumerate(evaluation.questions):
        faults = {
            name: fault + lost(evaluation, name, place) if (fault := wrong(evaluation, name, question.question)) else ""
            for name in evaluation.systems
        }
        if any(faults.values()):
            found.append((place, faults))
    return found
