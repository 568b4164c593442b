"""Do the addresses of the public notes exist? Compares them with a built site: its sitemap, else its HTML files."""

import difflib
import html
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pipeline.content import read_sources
from pipeline.doctor.finding import Finding
from pipeline.errors import SitetwinError
from pipeline.settings import Settings

OUTPUTS = ("dist", "public", "_site", "build", "docs/.vitepress/dist", ".vitepress/dist", "website/build")
"""Where the generators put a built site, relative to sitetwin.toml."""
SHOWN = 8
"""How many addresses without a page are named, each with the nearest page."""
_LOCATION = re.compile(r"<loc>\s*([^<]+?)\s*</loc>")
_SITEMAPS = ("sitemap.xml", "sitemap-index.xml", "sitemap_index.xml")


def compare_links(settings: Settings, built: Path | None) -> list[Finding]:
    """What became of the addresses of all public documents.

    Args:
        built: the folder of the built site, or its sitemap; None: the first usual one that exists.

    Raises:
        SitetwinError: there is no built site.
    """
    place = built or next((settings.root / name for name in OUTPUTS if (settings.root / name).is_dir()), None)
    if place is None or not place.exists():
        raise SitetwinError(
            f"{place} is not there: name the folder of the built site" if place else
            f"no built site in {', '.join(OUTPUTS)}: build it, and name its folder with --site"
        )  # fmt: skip
    pages = set(_pages(place))
    if not pages:
        raise SitetwinError(f"{place} holds neither a sitemap nor HTML files: build the site first")
    documents = [report.document for report in read_sources(settings) if report.document]
    linked = [document for document in documents if document.url and document.visibility == "public"]
    missing = [document for document in linked if _path(document.url) not in pages]
    found = Finding(
        name="links",
        state="missing" if missing else "ok",
        text=f"{len(linked) - len(missing)} of {len(linked)} addresses of public notes are pages of {place}",
        mend="mend `url` under [[content]] in sitetwin.toml, or make the other notes private" if missing else "",
    )
    others = [
        Finding(name=document.id, state="note", text=f"{document.url} is no page{_nearest(_path(document.url), pages)}")
        for document in missing[:SHOWN]
    ]
    return [found, *others]


def _pages(place: Path) -> Iterator[str]:
    """The paths of all pages, each as `_path` writes it."""
    sitemaps = [place] if place.is_file() else [file for name in _SITEMAPS if (file := place / name).is_file()]
    if not sitemaps:
        for file in place.rglob("*.html"):
            yield _path(file.relative_to(place).as_posix())
    for sitemap in sitemaps[:1]:
        yield from map(_path, _locations(sitemap))


def _locations(sitemap: Path) -> Iterable[str]:
    """The addresses in a sitemap, and in those that it names."""
    found = [html.unescape(one) for one in _LOCATION.findall(sitemap.read_text(encoding="utf-8"))]
    parts = [sitemap.parent / Path(urlsplit(one).path).name for one in found if one.endswith(".xml")]
    inner = [one for part in parts if part.is_file() and part != sitemap for one in _locations(part)]
    return [*(one for one in found if not one.endswith(".xml")), *inner]


def _path(address: str) -> str:
    """The path of an address, in one way of writing: `/a`, `/a/`, `/a.html` and `/a/index.html` are the same page."""
    path = unquote(urlsplit(address).path).strip("/")
    return re.sub(r"(?:^|/)index$", "", path.removesuffix(".html"))


def _nearest(path: str, pages: set[str]) -> str:
    name = path.rpartition("/")[2]
    same = [page for page in pages if page.rpartition("/")[2] == name]
    near = sorted(same, key=len) or difflib.get_close_matches(path, pages, 1)
    return f": the nearest is /{near[0]}" if near else ""
