"""One file's bytes to a document. No disk here."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pipeline.content.converting import CONVERTED, decode, to_markdown
from pipeline.content.documents import Document
from pipeline.content.formats import FORMATS, PAGES, SkippedError, read_format
from pipeline.content.frontmatter import as_list, date_of, lookup, tags_of, title_of, with_inherited
from pipeline.content.kinds import load_kind
from pipeline.content.kinds.kind import NOTHING, ContentKind, Inherited
from pipeline.content.markup import Body, clean
from pipeline.content.mending import FrontMatter, read_front_matter
from pipeline.content.publishing import period_of
from pipeline.content.slugs import slugify
from pipeline.content.structure import first_heading
from pipeline.content.urls import below, on_site, page_name, page_path, url_of, without_base
from pipeline.content.visibility import visibility_of
from pipeline.settings import ContentSource


def parse_document(
    data: bytes,
    source: ContentSource,
    id: str,
    path: Path,
    relative: str,
    inherited: Inherited = NOTHING,
    *,
    now: datetime,
    expand: Callable[[str], str] = str,
) -> tuple[Document, str]:
    """The document in `data`, the content of the file at `relative` below `source`; and why it has no address, or "".

    Args:
        inherited: what the document has from its folder or the site's configuration.
        now: with a time zone; a document that is out later, or no longer, is private.
        expand: takes into the body what it names of the site's other files.

    Raises:
        SkippedError: no text below the front matter, or what reads the file is not here.
        ContentError: not text, or its front matter can't be read.
    """
    suffix = path.suffix.lower()
    front = read_text(data, suffix)
    kind = load_kind(source)
    own, values = front.values, with_inherited(front.values, inherited.values)
    if suffix in FORMATS:  # nothing in it is Markdown's or a component's
        body = Body((kind.drop_calls(front.body, values) if suffix in PAGES else front.body).strip("\n"))
    else:
        body = clean(kind.drop_calls(expand(front.body), values), kind=kind, mdx=suffix in kind.mdx_suffixes)
    text = _encodable(kind.with_front_matter(own, body.text))
    if not re.search(r"\w", text):
        raise SkippedError(
            "no text below the front matter: write some to have it found"
            if own
            else "no text: write some to have it found"
        )
    day = date_of(values, relative)
    title = _encodable(title_of(own)) or _title_in(body.text, kind, relative)
    pattern = without_base(inherited.base, source.url)
    url, note = _address(pattern, kind, values, inherited.path or relative, title, day)
    url = below(inherited.base, url)
    tags = [*tags_of(own), *tags_of(inherited.values), *body.tags]
    # also of the page that it is a part of: who may not see that one may not see this
    pages = [values, inherited.around]
    periods = [period_of(page, relative, now) for page in pages]
    is_private = (
        front.doubtful
        or inherited.is_left_out
        or bool(inherited.fault)
        or any(map(kind.has_no_page, pages))
        or not all(period.holds(now) for period in periods)
        or (bool(inherited.around) and _is_kept_back(inherited.around, source, relative))
    )
    document = Document(
        id=id,
        path=path,
        title=title,
        url=url,
        text=text,
        visibility="private" if is_private else visibility_of(values, source, relative, tags),
        tags=tuple(dict.fromkeys(map(_encodable, tags))),
        date=day,
        changes_at=min(filter(None, (period.next_change(now) for period in periods)), default=None),
    )
    notes = (
        front.fault,
        inherited.fault,
        "left out by the site's configuration, so it is private" if inherited.is_left_out else "",
        inherited.note if document.visibility == "private" else "",
        note,
    )
    return _with_digest(document), "; ".join(filter(None, notes))


def _is_kept_back(page: Mapping[str, Any], source: ContentSource, relative: str) -> bool:
    return visibility_of(page, source, relative, tags_of(page)) == "private"


def read_text(data: bytes, suffix: str) -> FrontMatter:
    """The front matter and the text of a file whose name ends in `suffix`, in lower case.

    Raises:
        ContentError: as `parse_document`.
    """
    if suffix in FORMATS:
        return read_format(data, suffix)
    text = decode(data)
    return FrontMatter({}, to_markdown(text, suffix)) if suffix in CONVERTED else read_front_matter(text)


def _title_in(text: str, kind: ContentKind, relative: str) -> str:
    """The first heading's words, else the file's name.

    A file named as a note is, and every note of Obsidian, is called by its name, unless a first # heading says all of
    the name or the name is a number; the heading stands in the sections' paths then.
    """
    name = page_name(relative)
    is_note = kind.is_named_by_file or " " in name
    if not is_note:
        return first_heading(text) or re.sub(r"[-_]+", " ", name).strip() or name
    heading = first_heading(text, opening=True)
    says_it = set(re.findall(r"\w+", name.casefold())) <= set(re.findall(r"\w+", heading.casefold()))
    return heading if heading and (says_it or not re.search(r"[^\W\d_]|\d-\d", name)) else name


def _address(
    pattern: str, kind: ContentKind, values: Mapping[str, Any], relative: str, title: str, day: date | None
) -> tuple[str, str]:
    """The address by the pattern of the source, and why there is none."""
    if own := _encodable(kind.own_address(relative, values)):
        return on_site(pattern, own), ""
    fields = {
        "slug": _encodable(kind.slug(relative, values)),
        "path": page_path(relative, "index"),
        "stem": page_name(relative),
        "title": _encodable(kind.title_slug(values, title)),
        "categories": "/".join(slugify(_encodable(str(one))) for one in as_list(lookup(values, "categories"))),
    }
    return url_of(kind.pattern(pattern, relative, values), fields, day)


def _encodable(text: str) -> str:
    """`text` without the half characters that YAML's escapes can make and no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _with_digest(document: Document) -> Document:
    kept = [
        document.id,
        document.title,
        document.url,
        document.text,
        document.visibility,
        document.tags,
        str(document.date),
        *([document.changes_at.timestamp()] if document.changes_at else []),
    ]
    return replace(document, digest=hashlib.sha256(json.dumps(kept).encode()).hexdigest())
