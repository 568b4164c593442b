"""The address of a document, from the pattern of its source."""

import re
from collections.abc import Mapping
from datetime import date
from pathlib import PurePosixPath
from urllib.parse import quote

from pipeline.content.slugs import slugify

FIELDS = ("slug", "path", "stem", "title", "categories")
"""What a pattern may name beside `{year}`, `{month}` and `{day}`."""
_FIELD = re.compile(r"\{([^{}]*)\}")
_DAY = {"year": "%Y", "month": "%m", "day": "%d"}
ORIGIN = re.compile(r"(?:https?:)?//[^/]*")


def astro_slug(path: str) -> str:
    """Astro's id of the entry at `path` below its collection: each segment a slug, without extension and last /index."""
    segments = PurePosixPath(path).with_suffix("").parts
    return "/".join(map(slugify, segments)).removesuffix("/index")


def page_path(path: str, *indexes: str) -> str:
    """`path` without its extension and, where the file is named as one of `indexes`, without that name."""
    file = PurePosixPath(path).with_suffix("")
    kept = file.parent if file.name.casefold() in indexes else file
    return "" if kept == PurePosixPath(".") else str(kept)


def page_name(path: str) -> str:
    """The file's name without extension, or its folder's when it is an `index`."""
    file = PurePosixPath(path)
    return file.parent.name if file.stem.casefold() == "index" and file.parent.name else file.stem


def url_of(pattern: str, fields: Mapping[str, str], day: date | None = None) -> tuple[str, str]:
    """The address that `pattern` gives a document with these `fields`, and why there is none.

    One of the two is empty; both are when the pattern is.
    """
    for name in _FIELD.findall(pattern):
        if name in _DAY and not day:
            return (
                "",
                f"no address: its source's url names {{{name}}} and the file has no date: add `date:` to its front matter",
            )
        if name not in _DAY and name not in FIELDS:
            return (
                "",
                f"no address: {{{name}}} is no field of a url in sitetwin.toml: use {{slug}}, {{path}}, {{stem}}, {{title}}, {{categories}}, {{year}}, {{month}} or {{day}}",
            )
    known = {**fields, **({name: day.strftime(form).zfill(2) for name, form in _DAY.items()} if day else {})}
    return _tidy(_FIELD.sub(lambda field: quote(known[field[1]]), pattern)), ""


def on_site(pattern: str, path: str) -> str:
    """The address of `path`, which begins at the site's root, on the site that `pattern` leads to."""
    if not pattern:
        return ""
    origin = ORIGIN.match(pattern)
    return _tidy(f"{origin[0] if origin else ''}/{quote(path.lstrip('/'), safe='/%#?=&')}")


def below(base: str, url: str) -> str:
    """The address `url` of a site that lies in the folder `base` of its host, such as `/docs`; one there stays as it is."""
    origin = ORIGIN.match(url)
    start, rest = (origin[0], url[origin.end() :]) if origin else ("", url)
    return f"{start}{base}{rest}" if url and rest != base and not rest.startswith(f"{base}/") else url


def without_base(base: str, url: str) -> str:
    """`url` as the site itself has it, which lies in the folder `base` of its host; one elsewhere stays as it is."""
    origin = ORIGIN.match(url)
    start, rest = (origin[0], url[origin.end() :]) if origin else ("", url)
    return f"{start}{rest.removeprefix(base)}" if rest.startswith(f"{base}/") else url


def _tidy(url: str) -> str:
    """`url` without empty parts, and without the file name of a folder's own page."""
    return re.sub(r"/(?:index)?\.html?$|/index\.html?$", "/", re.sub(r"(?<![:/])/{2,}", "/", url))
