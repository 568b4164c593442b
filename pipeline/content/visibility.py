"""Who may read a document. In doubt: its owner only."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.content.frontmatter import as_date, fold, lookup, tags_of
from pipeline.content.globs import first_match
from pipeline.content.kinds import load_kind
from pipeline.settings import ContentSource, Visibility

_PRIVATE_IF_TRUE = {"draft", "isdraft", "private", "isprivate", "hidden", "unlisted", "noindex"}
_PRIVATE_IF_FALSE = {"publish", "published", "public", "ispublished", "ispublic"}
_PRIVATE_TAGS = {"private", "draft", "unlisted", "unpublished", "confidential", "secret"}
_PRIVATE_STATES = {*_PRIVATE_TAGS, "drafts", "hidden", "scheduled", "trash"}
_PUBLIC_IF_TRUE = {"publish", "public"}
_YES = {"true", "yes", "y", "on", "1"}
_NO = {"false", "no", "n", "off", "0"}


def visibility_of(values: Mapping[str, Any], source: ContentSource, path: str, tags: Iterable[str] = ()) -> Visibility:
    """What the folder's rules, the front matter `values` and all tags say of the document at `path` below the source.

    A private statement beats a public one, and a value that is neither yes nor no counts as private.
    """
    said = _said(values)
    if (
        "private" in said
        or _PRIVATE_TAGS & {tag.casefold().partition("/")[0] for tag in tags}
        or _is_private_place(source, path)
    ):
        return "private"
    return "public" if "public" in said else source.default_visibility


def is_marked_private(values: Mapping[str, Any]) -> bool:
    """Whether the front matter `values` say that their file is private."""
    return bool(_PRIVATE_TAGS & {tag.casefold().partition("/")[0] for tag in tags_of(values)}) or "private" in _said(
        values
    )


def _said(values: Mapping[str, Any]) -> list[Visibility]:
    """What each entry says of who may see the document."""
    # Hugo takes what stands below `params` for front matter
    params = lookup(values, "params")
    entries = [*values.items(), *(params.items() if isinstance(params, Mapping) else ())]
    return [statement for key, value in entries if (statement := _statement(fold(str(key)), value))]


def _is_private_place(source: ContentSource, path: str) -> bool:
    # patterns written from sitetwin.toml's folder are meant too
    if first_match(path, source.private) or first_match((source.path / path).as_posix(), source.private):
        return True
    return load_kind(source).is_private(path)


def _statement(key: str, value: Any) -> Visibility | None:
    """What one entry says; None for an entry about something else, or one that says nothing either way."""
    if key == "visibility":
        return "public" if _word(value) == "public" else "private"
    if key == "status":
        return "private" if _PRIVATE_STATES & _states(value) else None
    if key in _PRIVATE_IF_TRUE:
        return None if _word(value) in _NO else "private"
    if key in _PRIVATE_IF_FALSE:
        if key == "published" and (as_date(value) or re.fullmatch(r"[12]\d{3}(-\d\d)?", _word(value))):
            return None
        if _word(value) not in _YES:
            return "private"
        return "public" if key in _PUBLIC_IF_TRUE else None
    if key == "robots":
        return "private" if "noindex" in _word(value) else None
    return None


def _states(value: Any) -> set[str]:
    """The words of a status, which may be a list of links or tags: `"[[Draft]]"`, `status/draft`."""
    items = value if isinstance(value, list) else [value]
    return {re.sub(r"[-_]", " ", _word(item).strip("#[]\"' ").rpartition("/")[2]) for item in items}


def _word(value: Any) -> str:
    return str(value).strip().casefold() if isinstance(value, str | int | float) else ""
