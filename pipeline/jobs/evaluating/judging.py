"""Judges the answers of an evaluation: from the record and the notes alone, so that it can be done again."""

import asyncio
import itertools
from collections.abc import Sequence

from pipeline.content.documents import Document
from pipeline.dataset import versions
from pipeline.evaluation.evidence import Evidence
from pipeline.evaluation.figures import compared, figure, values_of
from pipeline.evaluation.judge_model import FACTS, LABELS, ModelVerdict, agreement, verdicts
from pipeline.evaluation.labels import Labels
from pipeline.evaluation.measures import JUDGED, Judged, measures
from pipeline.evaluation.voice.measuring import Voices, measure_voices
from pipeline.evaluation.voice.texts import Text, authors_in, has_voice, installed_authors, prose
from pipeline.jobs.evaluating.answers import KeptVerdicts
from pipeline.jobs.evaluating.record import COSTS, Evaluation
from pipeline.progress import ProgressReport
from pipeline.servers.structured import StructuredModel
from pipeline.settings import Settings
from pipeline.site import Site
from pipeline.text.languages import tables
from pipeline.weights.locating import shown_name

CEILING_EACH = 3
"""Without a data set, every third document makes the ceiling of the voice."""


def judge(settings: Settings, evaluation: Evaluation) -> None:
    """Fills in all figures and comparisons.

    Raises:
        SitetwinError: there is no index, or no embedder.
    """
    questions = evaluation.questions
    evidence = Evidence(Site(settings), evaluation.visibility)
    table = measures()
    for result in evaluation.systems.values():
        answers = [
            Judged(one, reply.answer, evidence.of(one, reply.answer), reply.read, reply.written)
            for one, reply in zip(questions, result.replies, strict=True)
        ]
        result.values = {measure.key: values_of(measure, answers) for measure in table}
    _take_labels(settings, evaluation)
    for result in evaluation.systems.values():
        found = {
            measure.key: figure(result.values[measure.key], questions, evaluation.known, measure) for measure in table
        }
        result.figures = {key: one for key, one in found.items() if one}
    voices = _voices(settings, evaluation, evidence.documents)
    for name, figures in voices.figures.items():
        evaluation.systems[name].figures |= figures
    evaluation.comparisons = compared(
        {name: result.values for name, result in evaluation.systems.items()},
        {measure.key: measure.binary for measure in table if measure.unit not in COSTS},
        voices.differences,
    )
    _judged(evaluation)
    evaluation.notes = [*map(str, evaluation.agreements), *voices.notes, *_quoting(evaluation)]


def ask_judge(
    settings: Settings, evaluation: Evaluation, model: StructuredModel, progress: ProgressReport = lambda *_: None
) -> None:
    """Has a model judge the answers to all questions with facts. `judge` fills in what follows from it.

    A verdict is kept, and not asked for again while question, facts, answer and judge are the same.

    Raises:
        ModelError: the model can't be had.
    """
    answers = [(name, question, answer.answer) for name, question, answer in evaluation.judgeable()]
    kept = KeptVerdicts(settings, model.name)
    found = [kept.find(question, answer) for _, question, answer in answers]
    unknown = [place for place, verdict in enumerate(found) if verdict is None]
    done = itertools.count(len(answers) - len(unknown) + 1)

    def heard(asked: int, verdict: ModelVerdict | None) -> None:
        place = unknown[asked]
        _, question, answer = answers[place]
        if verdict:
            found[place] = verdict
            kept.keep(question, answer, verdict)
        progress(next(done), len(answers), "verdicts")

    asyncio.run(verdicts(model, [answers[place][1:] for place in unknown], heard))
    for (name, question, _), verdict in zip(answers, found, strict=True):
        if verdict:
            evaluation.systems[name].judged[question.question] = verdict.right
    kind, _, name = model.name.partition(":")
    # A report may be shown to others: a folder's path is none of theirs.
    evaluation.judge = f"{kind}:{shown_name(name)}" if name else kind


def _take_labels(settings: Settings, evaluation: Evaluation) -> None:
    """Puts a person's labels in the place of what the facts say of the same answers, and compares both."""
    labels = Labels(settings)
    for result in evaluation.systems.values():
        result.labelled = {}
    for name, question, answer in evaluation.judgeable():
        said = labels.of(question.question, answer.answer)
        if said is not None:
            evaluation.systems[name].labelled[question.question] = said
    by_facts, by_hand = [], []
    for result in evaluation.systems.values():
        accuracy = result.values["accuracy"]
        by_facts += [accuracy[question] == 1 for question in result.labelled]
        by_hand += list(result.labelled.values())
        accuracy |= {question: float(said) for question, said in result.labelled.items()}
    found = agreement(f"The check of {FACTS}", LABELS, by_facts, by_hand)
    evaluation.agreements = [found] if found else []


def _judged(evaluation: Evaluation) -> None:
    """The figures of the judge model, and how far it agrees with labels and facts. What it was not asked is not right.

    A label stands before the model's verdict.
    """
    if not evaluation.judge:
        return
    for beside in (LABELS, FACTS):
        told, by_model = [], []
        for result in evaluation.systems.values():
            # The accuracy of a labelled answer is the label's, not the facts'.
            chosen = [one for one in result.judged if (one in result.labelled) == (beside == LABELS)]
            told += [result.values["accuracy"][one] == 1 for one in chosen]
            by_model += [result.judged[one] for one in chosen]
        if found := agreement(f"The judge {evaluation.judge}", beside, told, by_model):
            evaluation.agreements.append(found)
    for result in evaluation.systems.values():
        said = result.judged | result.labelled
        values = {question: float(said.get(question, False)) for question in result.values["accuracy"]}
        if figured := figure(values, evaluation.questions, evaluation.known, JUDGED):
            result.figures[JUDGED.key] = figured


def _voices(settings: Settings, evaluation: Evaluation, documents: Sequence[Document]) -> Voices:
    """The voice of all systems, by what they said where they did not refuse, in the language of most notes."""
    with Site(settings).index() as index:
        language = next((code for code in index.languages() if code), "en")
    name = tables.table(language).name or language
    if not has_voice(language):
        return Voices(
            notes=[
                f"The voice was not measured: most notes are in {name}, whose function words are not known or stand in one "
                "with the next word."
            ]
        )
    answers = {
        name: {reply.question: reply.answer.answer for reply in result.replies if not reply.answer.refused}
        for name, result in evaluation.systems.items()
    }
    texts = [prose(document.id, document.text, language) for document in documents]
    held_out = _held_out(settings, evaluation.data_set, [document.id for document in documents])
    folders = settings.evaluation.other_authors
    if folders:
        others = authors_in((settings.root / folder.expanduser() for folder in folders), language)
    else:
        others = installed_authors() if language == "en" else []
    base = next((name for name, result in evaluation.systems.items() if result.system.mode == "base"), "")
    found = measure_voices(answers, _in(texts, held_out, False), _in(texts, held_out, True), others, base, language)
    if not others:
        found.notes.append(
            f"No other authors in {name} are known here, so 0% of the voice is the base model's own prose. Name folders of "
            f"Markdown by other people in `evaluation.other_authors` to compare with them; without either there is no voice."
        )
    return found


def _held_out(settings: Settings, data_set: int | None, documents: Sequence[str]) -> set[str]:
    """The documents that no adapter was trained on; without a data set, some."""
    if data_set is None:
        return set(sorted(documents)[::CEILING_EACH])
    split_of = versions.read_card(versions.version_folder(settings, data_set)).split_of
    return {id for id in documents if split_of.get(id) != "train"}


def _in(texts: Sequence[Text], chosen: set[str], is_in: bool) -> list[Text]:
    return [text for text in texts if (text.author in chosen) is is_in]


def _quoting(evaluation: Evaluation) -> list[str]:
    """Systems that quote have the author's voice for nothing."""
    found = []
    for name, result in evaluation.systems.items():
        quoted = sum(reply.answer.form == "quoted" for reply in result.replies)
        if 2 * quoted > len(result.replies):
            found.append(
                f"{name} answers mostly in the notes' own sentences, so its voice is the author's by construction."
            )
    return found
