"""A content collection of Astro."""

import re
from collections.abc import Iterator
from pathlib import Path

from pipeline.content.including import Includes, imported
from pipeline.content.kinds.kind import NOTHING, ContentKind, FoundFolder, Inherited, InheritedBy
from pipeline.content.kinds.site_files import program_text, project_of
from pipeline.settings import Visibility

_CONFIGS = [f"astro.config.{suffix}" for suffix in ("mjs", "js", "ts", "mts", "cjs")]
_BASE = re.compile(r"\bbase\s*:\s*[\"'`]\.?/?([^\"'`]+?)/?[\"'`]")
_NAMED = re.compile(r"\bconst\s+(\w+)\s*=\s*[\"'`]\.?/?(src/[^\"'`]+?)/?[\"'`]")
_SCHEMAS = [
    f"src/{name}.{suffix}" for name in ("content.config", "content/config") for suffix in ("ts", "mts", "js", "mjs")
]
_DEFAULT = re.compile(r"\b(\w+)[\"']?\s*:\s*z\s*\.\s*boolean\(\)[^,;\n]*?\.default\(\s*(true|false)\s*\)")
_HIDES = re.compile(
    r"(?:(?:is)?(?:draft|private)|hidden|unlisted|noindex) true|(?:is)?(?:publish|published|public) false"
)

_LISTS = ("tag", "tags", "category", "categories")


class Astro(ContentKind):
    default_visibility: Visibility = "public"

    def find(self, project: Path) -> list[FoundFolder]:
        if not any((project / name).is_file() for name in _CONFIGS):
            return []
        found = dict.fromkeys(folder for folder in _collections(project) if (project / folder).is_dir())
        is_starlight = (project / "src/content/docs").is_dir() and "starlight" in _text(project / "package.json")
        routes = _routes(project / "src/pages", {folder.rpartition("/")[2] for folder in found})
        sources = [
            FoundFolder(folder, "/{slug}/" if is_starlight and folder.endswith("/docs") else _address(folder, routes))
            for folder in found
        ]
        pages = project / "src/pages"
        has_pages = pages.is_dir() and any(file.suffix in (".md", ".mdx") for file in pages.rglob("*.md*"))
        return [*sources, *([FoundFolder("src/pages", "/{slug}/")] if has_pages else [])]

    def inherited(self, root: Path) -> InheritedBy:
        # values that the schema of a collection gives to who says nothing; which collection is not told apart
        said = "\n".join(map(program_text, self.configurations(root)))
        values = {key: value == "true" for key, value in _DEFAULT.findall(said) if _HIDES.fullmatch(f"{key} {value}")}
        given = Inherited(values) if values else NOTHING
        return lambda path: given

    def configurations(self, root: Path) -> list[Path]:
        project = project_of(root, _CONFIGS) or root
        return [project / name for name in _SCHEMAS]

    def is_of(self, folder: Path) -> bool:
        return "content" in folder.resolve().parts[-2:]

    def address(self, collection: str) -> str:
        return f"{collection}/{{slug}}/"

    def is_private(self, path: str) -> bool:
        # Astro builds no page of what begins with an underscore
        return any(part.startswith("_") for part in path.split("/"))

    def with_includes(self, text: str, includes: Includes) -> str:
        return imported(text, includes, lambda target, file: [includes.top / "src", includes.top])

    def drop_comments(self, text: str) -> str:
        return text


ASTRO = Astro()


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""


def _collections(project: Path) -> Iterator[str]:
    """The folders that the site's own settings of its collections name, then those below src/content."""
    for file in _SCHEMAS:
        said = _text(project / file)
        yield from _BASE.findall(said)
        yield from (folder for _, folder in _NAMED.findall(said))
    content = project / "src/content"
    if content.is_dir():
        yield from (
            folder.relative_to(project).as_posix()
            for folder in sorted(content.iterdir())
            if folder.is_dir() and any(file.suffix in (".md", ".mdx") for file in folder.rglob("*.md*"))
        )


def _routes(pages: Path, collections: set[str]) -> dict[str, str]:
    """The folder of the page that stands for all entries of a collection (`posts/[...slug].astro`), by the collection.

    The one page that is named as no collection is that of the one collection that no page is named as.
    """
    if not pages.is_dir():
        return {}
    dynamic = [file.relative_to(pages).as_posix() for file in sorted(pages.rglob("[[]*"))]
    folders = [path.partition("[")[0].rstrip("/") for path in dynamic]
    routes = {folder.rpartition("/")[2]: folder for folder in folders if folder.rpartition("/")[2] not in _LISTS}
    homeless, unclaimed = collections - routes.keys(), routes.keys() - collections
    pairs = zip(homeless, unclaimed, strict=True) if len(homeless) == len(unclaimed) == 1 else ()
    return {**routes, **{collection: routes[route] for collection, route in pairs}}


def _address(folder: str, routes: dict[str, str]) -> str:
    name = folder.rpartition("/")[2]
    route = routes.get(name, name)
    return f"/{route}/{{slug}}/" if route else "/{slug}/"
