import asyncio
import multiprocessing

import pytest
from filelock import FileLock

from pipeline.dataset import build as building
from pipeline.dataset.answers import Answers
from pipeline.dataset.build import build, choose_documents
from pipeline.dataset.decisions import Decision, decisions_file, record_decisions
from pipeline.dataset.records import SPLITS
from pipeline.dataset.stats import stats
from pipeline.dataset.versions import (
    datasets_directory,
    read_card,
    read_rejected,
    read_rows,
    version_folder,
    versions,
)
from pipeline.errors import ModelError, SitetwinError, UnreadableError
from pipeline.settings import ContentSource
from pipeline.site import Site
from tests.pipeline.dataset.notes import FirstSentences, WordJudge, cut, document, embed, site

DOCUMENTS = [document(number) for number in range(10)]


def run(settings, documents=DOCUMENTS, teacher=None, judge=None, report=lambda progress: None):
    return asyncio.run(
        build(
            settings, documents, teacher=teacher or FirstSentences(), judge=judge, cut=cut, embed=embed, report=report
        )
    )


def test_the_first_build_writes_a_version_that_says_what_it_is(tmp_path):
    settings = site(tmp_path)
    built = run(settings, judge=WordJudge())
    card = read_card(version_folder(settings))
    rows = read_rows(version_folder(settings))
    assert built.new
    assert (card.version, card.visibility, card.teacher, card.judge) == (1, "public", "first-sentences", "word-judge")
    assert card.documents == 10
    assert card.accepted == len(rows) == sum(card.splits.values()) > 100
    assert {row.pair.kind for row in rows} == {"fact", "how-to", "synthesis", "voice", "refusal"}
    assert all(card.splits[split] for split in SPLITS)


def test_no_document_stands_in_two_splits(tmp_path):
    settings = site(tmp_path)
    run(settings)
    assert stats(version_folder(settings)).documents_in_two_splits == 0


def test_a_second_build_asks_nothing_and_writes_nothing(tmp_path):
    settings = site(tmp_path)
    run(settings, judge=WordJudge())
    teacher, judge = FirstSentences(), WordJudge()
    built = run(settings, teacher=teacher, judge=judge)
    assert (built.asked, built.judged, built.new) == (0, 0, False)
    assert not teacher.asked
    assert not judge.asked
    assert versions(settings) == [1]


def test_an_edit_asks_for_the_changed_chunk_only(tmp_path):
    settings = site(tmp_path)
    run(settings)
    edited = document(3)
    changed = edited.text.replace("In part 2", "In the second part")
    teacher = FirstSentences()
    built = run(settings, [*DOCUMENTS[:3], _with_text(edited, changed), *DOCUMENTS[4:]], teacher)
    assert built.new
    assert teacher.asked
    assert all("In the second part" in "".join(s.text for s in task.sources) for task in teacher.asked)


def test_a_deleted_note_takes_its_pairs_and_kept_answers_along(tmp_path):
    settings = site(tmp_path)
    run(settings)
    run(settings, DOCUMENTS[1:])
    sources = {row.pair.source for row in read_rows(version_folder(settings))}
    assert DOCUMENTS[0].id not in sources
    kept = (datasets_directory(settings) / "answers.db").read_bytes()
    assert b"sourdough0" not in kept.replace(b"\0", b"")


def test_a_build_that_dies_goes_on_where_it_was(tmp_path):
    settings = site(tmp_path)
    with pytest.raises(ModelError, match="start it again"):
        run(settings, teacher=FirstSentences(dies_after=30))
    assert versions(settings) == []
    teacher = FirstSentences()
    resumed = run(settings, teacher=teacher)
    whole = run(site(tmp_path / "other"), teacher=(other := FirstSentences()))
    assert len(teacher.asked) == len(other.asked) - 30
    assert resumed.card.model_dump(exclude={"made_at"}) == whole.card.model_dump(exclude={"made_at"})


def _build_in_a_process(root, asked):
    class Counting(FirstSentences):
        async def write(self, task):
            pairs = await super().write(task)
            asked.put(1)
            return pairs

    run(site(root), teacher=Counting())


def test_a_build_that_is_killed_goes_on_where_it_was(tmp_path):
    context = multiprocessing.get_context("spawn")
    asked = context.SimpleQueue()
    process = context.Process(target=_build_in_a_process, args=(tmp_path, asked))
    process.start()
    for _ in range(20):
        asked.get()
    process.kill()
    process.join()
    teacher, other = FirstSentences(), FirstSentences()
    run(site(tmp_path), teacher=teacher)
    run(site(tmp_path / "other"), teacher=other)
    # The last answer that was given may not have been kept yet.
    assert len(teacher.asked) <= len(other.asked) - 19 or len(versions(site(tmp_path))) == 1


def test_more_documents_leave_the_others_in_their_splits(tmp_path):
    settings = site(tmp_path)
    run(settings)
    before = read_card(version_folder(settings)).split_of
    run(settings, [*DOCUMENTS, *(document(number) for number in range(10, 30))])
    after = read_card(version_folder(settings)).split_of
    assert {id: after[id] for id in before} == before
    assert len(after) == 30


def test_what_the_judge_refuses_is_kept_with_its_reason(tmp_path):
    settings = site(tmp_path)
    run(settings, judge=WordJudge("clocks5"))
    rejected = [row for row in read_rejected(version_folder(settings)) if row.rejection.stage == "judge"]
    assert rejected
    assert all("clocks5" in row.pair.question for row in rejected)
    assert rejected[0].rejection.reason == "the judge finds it faithful to the text 2 of 10 (as the words say)"


def test_the_owners_decisions_survive_a_rebuild(tmp_path):
    settings = site(tmp_path)
    run(settings, judge=WordJudge("clocks5"))
    folder = version_folder(settings)
    rejected = next(row.pair for row in read_rejected(folder) if row.rejection.stage == "judge")
    first, second = [row.pair for row in read_rows(folder)][:2]
    record_decisions(
        decisions_file(settings),
        [
            Decision(pair=rejected.id, action="accept"),
            Decision(pair=first.id, action="reject"),
            Decision(pair=second.id, action="edit", question="What is better?", answer="This is."),
        ],
    )
    for _ in range(2):
        run(settings, judge=WordJudge("clocks5"))
        rows = {row.original: row.pair for row in read_rows(version_folder(settings))}
        assert rejected.id in rows
        assert first.id not in rows
        assert (rows[second.id].question, rows[second.id].answer) == ("What is better?", "This is.")
    reasons = {row.pair.id: row.rejection for row in read_rejected(version_folder(settings))}
    assert reasons[first.id].stage == "review"


def test_a_synthesis_over_two_splits_is_rejected(tmp_path):
    settings = site(tmp_path)
    run(settings, _linked())
    across = [row for row in read_rejected(version_folder(settings)) if row.rejection.stage == "split"]
    assert across
    assert all(row.pair.kind == "synthesis" for row in across)


def test_a_rejected_pair_keeps_the_teachers_words_for_decisions_to_name(tmp_path):
    settings = site(tmp_path)
    run(settings, _linked())
    across = next(row for row in read_rejected(version_folder(settings)) if row.rejection.stage == "split")
    edit = Decision(pair=across.pair.id, action="edit", question="What is better?", answer="This is.")
    record_decisions(decisions_file(settings), [edit])
    run(settings, _linked())
    assert across in read_rejected(version_folder(settings))


def test_a_split_by_pair_leaks_and_stats_says_so(tmp_path):
    settings = site(tmp_path, split_by="pair")
    run(settings)
    found = stats(version_folder(settings))
    assert found.documents_in_two_splits > 0
    assert found.splits["valid"] + found.splits["test"] == round(0.1 * found.pairs.accepted)


def test_when_nothing_survives_it_says_why_and_writes_nothing(tmp_path):
    settings = site(tmp_path, min_score=10)
    with pytest.raises(
        SitetwinError, match=r"all \d+ pairs were rejected \(score \d+; for instance .*gave its accuracy 9"
    ):
        run(settings)
    assert versions(settings) == []


def test_notes_too_short_for_a_question_are_named(tmp_path):
    with pytest.raises(SitetwinError, match="hold too little text"):
        run(site(tmp_path), [_with_text(DOCUMENTS[0], "Short.")])


def test_two_builds_at_once_are_refused(tmp_path):
    settings = site(tmp_path)
    datasets_directory(settings).mkdir(parents=True)
    with FileLock(datasets_directory(settings) / "build.lock"), pytest.raises(SitetwinError, match="is running"):
        run(settings)


class Mumbling(FirstSentences):
    """Answers every `nth` task in no form that can be read."""

    def __init__(self, nth: int) -> None:
        super().__init__()
        self.nth, self.count = nth, 0

    async def write(self, task):
        self.count += 1
        if self.count % self.nth == 0:
            raise UnreadableError("no JSON")
        return await super().write(task)


def test_an_unreadable_answer_is_left_out_and_asked_for_again_next_time(tmp_path):
    settings = site(tmp_path)
    built = run(settings, teacher=Mumbling(5))
    assert built.card.failed_tasks == len(built.unreadable) > 3
    assert run(settings).asked == len(built.unreadable)


def test_a_teacher_that_mumbles_mostly_ends_the_build(tmp_path):
    teacher = Mumbling(1)
    with pytest.raises(
        UnreadableError,
        match=r"20 of the teacher's first 20 answers can't be read \(the last: \S+ of notes/\S+: no JSON\)",
    ):
        run(site(tmp_path), teacher=teacher)
    assert teacher.count < building.UNREADABLE_AFTER + site(tmp_path).teacher.concurrency + 1


def test_progress_counts_what_earlier_builds_did(tmp_path):
    settings = site(tmp_path)
    with pytest.raises(ModelError):
        run(settings, teacher=FirstSentences(dies_after=30))
    seen = []
    run(
        settings, report=lambda progress: seen.append((progress.unit, progress.done, progress.total, progress.accepted))
    )
    assert seen[0][:2] == ("tasks", 30)
    assert seen[-1][1] == seen[-1][2]
    assert seen[-1][3] > 100


def test_only_public_documents_are_read_for_a_public_set(tmp_path):
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "open.md").write_text("# Open\n\nEverybody may read it.", encoding="utf-8")
    (notes / "mine.md").write_text("---\nprivate: true\n---\n# Mine\n\nMy own words.", encoding="utf-8")
    settings = site(tmp_path).model_copy(update={"content": [ContentSource(path=notes, visibility="public")]})
    assert [d.title for d in choose_documents(Site(settings).documents(), "public")] == ["Open"]
    assert [d.title for d in choose_documents(Site(settings).documents(), "private")] == ["Mine", "Open"]
    hidden = settings.model_copy(update={"content": [ContentSource(path=notes)]})
    with pytest.raises(SitetwinError, match=r"no public documents to make pairs of, 2 are private"):
        choose_documents(Site(hidden).documents(), "public")


def test_the_kept_answers_of_another_teacher_stay(tmp_path):
    settings = site(tmp_path)
    run(settings, teacher=FirstSentences("one"))
    run(settings, teacher=FirstSentences("two"))
    assert run(settings, teacher=FirstSentences("one")).asked == 0


def test_answers_are_found_again_when_a_chunk_has_moved(tmp_path):
    answers = Answers(tmp_path / "answers.db")
    settings = site(tmp_path)
    run(settings)
    moved = _with_text(
        DOCUMENTS[2],
        f"A new beginning, long enough to be a chunk that says something. {'And more. ' * 20}\n\n{DOCUMENTS[2].text}",
    )
    teacher = FirstSentences()
    run(settings, [*DOCUMENTS[:2], moved, *DOCUMENTS[3:]], teacher)
    assert all("A new beginning" in task.sources[0].text for task in teacher.asked)
    indices = {r.pair.chunk_index for r in read_rows(version_folder(settings)) if r.pair.source == moved.id}
    assert indices == {0, 1, 2}
    answers.close()


def _linked():
    """The documents, each with a link to the next one."""
    return [
        _with_text(d, f"{d.text}\n\nSee [another](/{DOCUMENTS[(n + 1) % 10].title.split()[-1]}).")
        for n, d in enumerate(DOCUMENTS)
    ]


def _with_text(document, text):
    import dataclasses

    return dataclasses.replace(document, text=text)
