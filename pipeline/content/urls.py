"""The address of a document, from the pattern of its source."""

import re
from datetime import date
from pathlib import PurePosixPath
from urllib.parse import quote

from pipeline.content.slugs import slugify

_FIELD = re.compile(r"\{([^{}]*)\}")


def astro_slug(path: str) -> str:
    """Astro's id of the entry at `path` below its collection: each segment a slug, without extension and last /index."""
    segments = PurePosixPath(path).with_suffix("").parts
    return "/".join(map(slugify, segments)).removesuffix("/index")


def page_name(path: str) -> str:
    """The file's name without extension, or its folder's when it is an `index`."""
    file = PurePosixPath(path)
    return file.parent.name if file.stem.casefold() == "index" and file.parent.name else file.stem


def url_of(pattern: str, path: str, slug: str = "", day: date | None = None) -> tuple[str, str]:
    """The address that `pattern` gives the document at `path` below the source, and why there is none.

    One of the two is empty; both are when the pattern is. A `slug` of the front matter wins over Astro's.
    """
    fields = {
        "slug": slug.strip("/ ") or astro_slug(path).strip("/"),
        "path": re.sub(r"(^|/)index$", "", str(PurePosixPath(path).with_suffix(""))),
        "stem": page_name(path),
        **({"year": f"{day.year:04}", "month": f"{day.month:02}", "day": f"{day.day:02}"} if day else {}),
    }
    for name in _FIELD.findall(pattern):
        if name in ("year", "month", "day") and not day:
            return (
                "",
                f"no address: its source's url names {{{name}}} and the file has no date: add `date:` to its front matter",
            )
        if name not in fields:
            return (
                "",
                f"no address: {{{name}}} is no field of a url in sitetwin.toml: use {{slug}}, {{path}}, {{stem}}, {{year}}, {{month}} or {{day}}",
            )
    return _FIELD.sub(lambda field: quote(fields[field[1]]), pattern), ""
