"""Every file below the sources of sitetwin.toml, read or reported."""

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import cache
from pathlib import Path

from pipeline.content.converting import UNREAD
from pipeline.content.documents import FileReport
from pipeline.content.folders import Folder, is_ignored, open_folders
from pipeline.content.formats import SkippedError
from pipeline.content.including import Includes
from pipeline.content.kinds import load_kind
from pipeline.content.memory import ReadMemory
from pipeline.content.parsing import parse_document
from pipeline.errors import ContentError
from pipeline.settings import ContentSource, Settings


def read_sources(settings: Settings, memory: ReadMemory | None = None) -> Iterator[FileReport]:
    """A report of every Markdown file, and of what else its kind reads, below every source, sorted within each folder, files before folders.

    A folder that can't be read is one `failed` report whose id ends in `/`, a source without any file in it a `skipped`
    one; a file that vanishes meanwhile has none.
    Links are not followed, so no file is read twice or from outside, and hidden folders are passed over. A file that is
    as it was when `memory` met it is not read again.
    """
    if memory:
        memory.begin()
    homes: dict[str, str] = {}
    for folder in open_folders(settings):
        for report in _walk(folder, memory):
            yield _with_clash(report, homes)


def _with_clash(report: FileReport, homes: dict[str, str]) -> FileReport:
    """`report`, saying so when its address is that of a file before it; `homes`: whose each address was so far."""
    if not report.document or not report.document.url:
        return report
    first = homes.setdefault(report.document.url, report.id)
    if first == report.id:
        return report
    clash = f"the address {report.document.url} is {first}'s too: give one of the two another slug"
    return replace(report, reason="; ".join(filter(None, (report.reason, clash))))


def read_file(settings: Settings, source: ContentSource, path: Path) -> FileReport:
    """The report of the one file at `path`, by the same rules as `read_sources`; `failed` when it is gone.

    Raises:
        ContentError: `source` is none of the settings', or `path` is not below it.
    """
    folder = next((folder for folder in open_folders(settings) if folder.source == source), None)
    if folder is None:
        raise ContentError(f"{source.path} is no source of sitetwin.toml: add a [[content]] entry for it")
    place = path.parent.resolve() / path.name
    if not place.is_relative_to(folder.root):
        raise ContentError(f"{path} is not below {folder.root}: add a [[content]] entry for its folder")
    relative = place.relative_to(folder.root).as_posix()
    if folder.fault:
        return _report(folder, relative, "failed", folder.fault)
    if any(map(is_ignored, relative.split("/"))):
        return _report(
            folder, relative, "skipped", "hidden, or of a tool: move it to an ordinary folder to have it read"
        )
    if place.suffix.lower() not in load_kind(folder.source).suffixes:
        return _report(folder, relative, "skipped", "not Markdown: name it .md or .mdx to have it read")
    if any(place.is_relative_to(inner) for inner in folder.inner):
        return _report(folder, relative, "skipped", "below another [[content]] entry of sitetwin.toml, which reads it")
    return _read(folder, relative) or _report(folder, relative, "failed", "no longer there: run `sitetwin index`")


def read_changed(settings: Settings, paths: Iterable[Path]) -> Iterator[FileReport]:
    """A report of each of `paths`, absolute, that could be a document, by the same rules as `read_sources`.

    The state is `gone` for a file that is no longer there, or by a name in other letters.
    """
    folders = [folder for folder in open_folders(settings) if not folder.fault]
    files = cache(_paths_in)
    for path in paths:
        around = [folder for folder in folders if path.is_relative_to(folder.root)]
        if not around:
            continue
        folder = max(around, key=lambda folder: len(folder.root.parts))
        if path.suffix.lower() not in load_kind(folder.source).suffixes:
            continue
        relative = _below(folder, path)
        if not any(map(is_ignored, relative.split("/"))):
            report = _read(folder, relative) if path in files(path.parent) else None
            yield report or _report(folder, relative, "gone", "")


def with_governed(settings: Settings, paths: Iterable[Path]) -> set[Path]:
    """`paths`, and every file below the folder of one that says what others inherit."""
    folders = [folder for folder in open_folders(settings) if not folder.fault]
    due = set(paths)
    governed = {
        path.parent
        for path in due
        for folder in folders
        if path.is_relative_to(folder.root) and load_kind(folder.source).governs(_below(folder, path))
    }
    for top in governed:
        for place, inner, files in os.walk(top):
            inner[:] = [name for name in inner if not is_ignored(name)]
            due.update(Path(place, name) for name in files)
    return due


def _paths_in(folder: Path) -> frozenset[Path]:
    """What a walk would meet in `folder`, in the letters of the disk; nothing behind a link."""
    try:
        return frozenset(folder.iterdir()) if folder.resolve(strict=True) == folder else frozenset()
    except (OSError, RuntimeError):
        return frozenset()


def _walk(folder: Folder, memory: ReadMemory | None) -> Iterator[FileReport]:
    if folder.fault:
        yield _report(folder, "", "failed", folder.fault)
        return
    waiting = [folder.root]
    while waiting:
        directory = waiting.pop()
        try:
            entries = sorted(os.scandir(directory), key=lambda entry: entry.name)
        except OSError as error:
            if isinstance(error, FileNotFoundError) and directory != folder.root:
                continue  # deleted since its parent was read
            reason = f'{error.strerror or error}: correct `path = "{folder.source.path}"` in sitetwin.toml, or the folder\'s rights'
            yield _report(folder, f"{_below(folder, directory)}/".lstrip("/."), "failed", reason)
            continue
        if directory == folder.root and not entries:
            yield _report(folder, "", "skipped", "an empty folder: put Markdown there, or correct its `path`")
        entries = [entry for entry in entries if not is_ignored(entry.name)]
        suffixes = load_kind(folder.source).suffixes
        for entry in entries:
            if _is_text(entry, suffixes) and (report := _read(folder, _below(folder, Path(entry.path)), memory)):
                yield report
        folders = [Path(entry.path) for entry in entries if entry.is_dir(follow_symlinks=False)]
        waiting += [inner for inner in reversed(folders) if inner not in folder.inner]


def _below(folder: Folder, path: Path) -> str:
    return path.relative_to(folder.root).as_posix()


def _is_text(entry: os.DirEntry[str], suffixes: tuple[str, ...]) -> bool:
    """Whether a report is due: a file by its name, and a link to a folder, which might be taken for one that is read."""
    return not entry.is_dir(follow_symlinks=False) and (
        entry.name.lower().endswith(suffixes) or (entry.is_symlink() and _is_folder_link(entry))
    )


def _is_folder_link(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a loop
        return True


def _read(folder: Folder, relative: str, memory: ReadMemory | None = None) -> FileReport | None:
    """What becomes of the file at `relative`; None when it is gone."""
    path = folder.root / relative
    if rule := folder.rule_against(relative):
        return _report(folder, relative, "skipped", rule)
    try:
        os.fsencode(relative).decode("utf-8")
        found = path.lstat()
        if stat.S_ISLNK(found.st_mode):
            return _report(folder, relative, *_about_link(folder, path))
        if path.suffix.lower() in UNREAD:
            kind = path.suffix[1:].upper()
            return _report(folder, relative, "skipped", f"{kind} is not read: export it as Markdown to have it found")
        if not stat.S_ISREG(found.st_mode):
            return _report(folder, relative, "skipped", "no ordinary file: replace it by one to have it read")
        id = f"{folder.name}/{relative}"
        inherited = folder.inherited(relative)
        if memory and (known := memory.recall(id, path, (folder.source, inherited), found)):
            return known
        data = _bytes_up_to(path, folder.source.max_bytes)
        now = datetime.now().astimezone()
        includes = Includes(folder.top, path, folder.is_kept_back)
        document, note = parse_document(
            data,
            folder.source,
            id,
            path,
            relative,
            inherited,
            now=now,
            expand=lambda body: load_kind(folder.source).with_includes(body, includes),
        )
        left_out = ", ".join(dict.fromkeys(includes.left_out))
        note = "; ".join(filter(None, (note, left_out and f"left out {left_out}, which is private")))
        takes_in = tuple(includes.looked_at.items())
        report = FileReport(document.id, path, "read", note, document, takes_in, version_of(found))
        if memory:
            memory.keep(report, (folder.source, inherited), found)
        return report
    except FileNotFoundError:
        return None
    except SkippedError as error:
        return _report(folder, relative, "skipped", str(error))
    except ContentError as error:
        return _report(folder, relative, "failed", str(error))
    except UnicodeDecodeError:
        return _report(folder, relative, "failed", "its name is not UTF-8: rename it")
    except OSError as error:
        return _report(folder, relative, "failed", f"{error.strerror or error}: make it readable for you")
    except RecursionError:
        return _report(folder, relative, "failed", "nested too deep to be read: flatten its lists or front matter")


def version_of(found: os.stat_result) -> tuple[int, int]:
    """What tells one state of a file from another, as `FileReport.version` has it."""
    return found.st_mtime_ns, found.st_size


def _bytes_up_to(path: Path, limit: int) -> bytes:
    """The file's content, of which `limit` bytes and one are held at most.

    Raises:
        ContentError: it is larger.
    """
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size <= limit and len(data := file.read(limit + 1)) <= limit:
            return data
    raise ContentError(f"larger than {limit:,} bytes: split it, or raise max_bytes of its source in sitetwin.toml")


def _about_link(folder: Folder, path: Path) -> tuple[str, str]:
    """The state of a link, which is never followed, and why."""
    try:
        target = path.resolve(strict=True)
    except FileNotFoundError:
        return "failed", "a link to nothing: remove it, or put the file there"
    except (OSError, RuntimeError):
        return "skipped", "a link that leads back to itself: remove it"
    if target.is_relative_to(folder.root):
        return "skipped", "a link to another place in this source, which is read there"
    return (
        "skipped",
        f"a link out of its source: add a [[content]] entry for {target if target.is_dir() else target.parent} to sitetwin.toml",
    )


def _report(folder: Folder, relative: str, state: str, reason: str) -> FileReport:
    # a name that is not UTF-8 could neither be printed nor kept in a database
    shown = os.fsencode(relative).decode("utf-8", "replace")
    return FileReport(f"{folder.name}/{shown}", folder.root / shown, state, reason)
