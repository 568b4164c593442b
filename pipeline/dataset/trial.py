"""Runs a few chunks through teacher and filter as a build does, to try a prompt. It writes no data set."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

from pipeline.content import read_sources
from pipeline.content.chunkers.placing import Embed
from pipeline.dataset import build, sieving, versions
from pipeline.dataset.answers import Answers
from pipeline.dataset.build_progress import BuildProgress
from pipeline.dataset.filters import Check
from pipeline.dataset.plan import Cut, plan_chunks, says_something, sources_of
from pipeline.dataset.records import Candidate, PairJudge, PairSource, Teacher
from pipeline.errors import SitetwinError
from pipeline.settings import ContentSource, Settings, Visibility


def read_chunks(
    settings: Settings, cut: Cut, folder: str = "", visibility: Visibility = "public", limit: int = 0
) -> list[PairSource]:
    """The first `limit` chunks with enough text for a pair, document by document; 0: all of them.

    Args:
        cut: returns a document's chunks.
        folder: folder of notes, relative to sitetwin.toml or absolute; empty: every source. A folder outside all
            sources is read too; its documents are private unless they say otherwise.
        visibility: `public`, or `private` for all documents.

    Raises:
        SitetwinError: there are no such chunks.
    """
    root = settings.source_path(ContentSource(path=Path(folder or ".")))
    known = [settings.source_path(source) for source in settings.content]
    if folder and not any(root.is_relative_to(other) or other.is_relative_to(root) for other in known):
        settings = settings.model_copy(update={"content": [ContentSource(path=root)]})
    reports = list(read_sources(settings))
    readable = [report.document for report in reports if report.document]
    if folder:
        readable = [document for document in readable if document.path.is_relative_to(root)]
    documents = [document for document in readable if visibility == "private" or document.visibility == "public"]
    found: list[PairSource] = []
    for document in sorted(documents, key=lambda document: document.id):
        found += filter(says_something, sources_of(document, cut))
        if limit and len(found) >= limit:
            return found[:limit]
    if not found:
        where = f"in {root}" if folder else "in the sources of sitetwin.toml"
        if readable and not documents:
            raise SitetwinError(
                f"no public text {where}, {len(readable)} documents are private: choose public and private"
            )
        faults = [f" ({report.reason})" for report in reports if report.state == "failed"]
        raise SitetwinError(f"no text that is long enough {where}{''.join(faults[:1])}: name a folder with Markdown")
    return found


async def write(sources: Sequence[PairSource], teacher: Teacher, settings: Settings) -> build.WrittenPairs:
    """The pairs of `sources`, in the kinds and number of `settings`. Answers are kept as in a build.

    Raises:
        SitetwinError: the teacher wrote no pair.
        ModelError: the teacher can't be reached. The answers so far are kept.
    """
    tasks = plan_chunks(sources, settings.dataset, settings.persona.prompt)
    with closing(Answers(versions.datasets_directory(settings) / "answers.db")) as answers:
        written = await build.write(
            tasks, teacher, answers, Check(settings.dataset, settings.persona.name), settings, _silent
        )
    if not written.candidates:
        why = f" ({written.unreadable[0]})" if written.unreadable else ""
        raise SitetwinError(f"the teacher wrote no pair{why}: change the prompt, the kinds, or choose a larger model")
    return written


async def sieve(
    candidates: Iterable[Candidate], judge: PairJudge | None, embed: Embed, settings: Settings
) -> sieving.Sieved:
    """The result of the filter of `settings`, without the owner's decisions in reviews.

    Raises:
        ModelError: the judge can't be reached. Its answers so far are kept.
    """
    different = list({candidate.pair.id: candidate for candidate in candidates}.values())
    with closing(Answers(versions.datasets_directory(settings) / "answers.db")) as answers:
        return await sieving.sieve(
            different, judge, answers, {}, Check(settings.dataset, settings.persona.name), embed, settings, _silent
        )


def _silent(progress: BuildProgress) -> None:
    """Reports nothing: Langflow shows a node only when it is done."""
