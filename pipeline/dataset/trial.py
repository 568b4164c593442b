"""A few chunks through teacher and filter as a build does it, to see what a prompt makes; no data set is written."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

from pipeline.content import read_sources
from pipeline.content.chunkers.placing import Embed
from pipeline.dataset import build, versions
from pipeline.dataset.answers import Answers
from pipeline.dataset.filters import Check
from pipeline.dataset.plan import Cut, plan_chunks, says_something, sources_of
from pipeline.dataset.records import Candidate, Judge, Source, Teacher
from pipeline.errors import SitetwinError
from pipeline.settings import ContentSource, Settings, Visibility


def read_chunks(
    settings: Settings, cut: Cut, folder: str = "", visibility: Visibility = "public", limit: int = 0
) -> list[Source]:
    """The first `limit` chunks that say enough for a pair, document by document; all with 0.

    Args:
        cut: a document's chunks.
        folder: of the notes that are read, relative to sitetwin.toml or absolute; empty: every source. One that no
            source has anything to do with is read by itself, and then is private where a document doesn't say.
        visibility: `public`, or `private` for all documents.

    Raises:
        SitetwinError: there are none.
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
    found: list[Source] = []
    for document in sorted(documents, key=lambda document: document.id):
        found += filter(says_something, sources_of(document, cut))
        if limit and len(found) >= limit:
            return found[:limit]
    if not found:
        where = f"in {root}" if folder else "in the sources of sitetwin.toml"
        if hidden := len(readable) - len(documents):
            raise SitetwinError(f"no public text {where}, {hidden} documents are private: choose public and private")
        faults = [f" ({report.reason})" for report in reports if report.state == "failed"]
        raise SitetwinError(f"no text that is long enough {where}{''.join(faults[:1])}: name a folder with Markdown")
    return found


async def write(sources: Sequence[Source], teacher: Teacher, settings: Settings) -> build.Written:
    """Pairs of `sources` in the kinds and the number that `settings` say. Answers are kept as a build keeps them.

    Raises:
        SitetwinError: no pair came of it.
        ModelError: the teacher can't be had. What was answered is kept.
    """
    tasks = plan_chunks(sources, settings.dataset, settings.persona.prompt)
    with closing(Answers(versions.datasets_directory(settings) / "answers.db")) as answers:
        written = await build.write(tasks, teacher, answers, Check(settings.dataset), settings, _silent)
    if not written.candidates:
        why = f" ({written.unreadable[0]})" if written.unreadable else ""
        raise SitetwinError(f"the teacher wrote no pair{why}: change the prompt, the kinds, or choose a larger model")
    return written


async def sieve(candidates: Iterable[Candidate], judge: Judge | None, embed: Embed, settings: Settings) -> build.Sieved:
    """The filter of `settings`, without what the owner decided in reviews.

    Raises:
        ModelError: the judge can't be had. What it said is kept.
    """
    different = list({candidate.pair.id: candidate for candidate in candidates}.values())
    with closing(Answers(versions.datasets_directory(settings) / "answers.db")) as answers:
        return await build.sieve(different, judge, answers, {}, Check(settings.dataset), embed, settings, _silent)


def _silent(progress: build.Progress) -> None:
    """Langflow shows nothing of a node before it is done."""
