"""What a kind of content decides. A kind overrides what it does otherwise than a plain folder of Markdown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.content.converting import MARKDOWN
from pipeline.content.frontmatter import words_of
from pipeline.content.html import drop_between
from pipeline.content.including import Includes
from pipeline.content.properties import described
from pipeline.content.slugs import slugify
from pipeline.content.urls import astro_slug
from pipeline.settings import Visibility

RuleAgainst = Callable[[str], str]
"""Takes a file's path below its source's root; returns why it is not read, with the next step, or ""."""


@dataclass(frozen=True, slots=True)
class Inherited:
    """What a document has from its folder or from the site's configuration, beside its own front matter."""

    values: Mapping[str, Any] = field(default_factory=dict)
    """Front matter that holds where the document's own says nothing about the same key."""
    around: Mapping[str, Any] = field(default_factory=dict)
    """The front matter of the page that the document is a part of: who may not see that page may not see the part."""
    is_left_out: bool = False
    """Whether the site's configuration leaves the file out: then it is private."""
    fault: str = ""
    """Why it can't be known what the document inherits, with the next step: then it is private."""
    path: str = ""
    """Where the site has the document, if not where it lies below the source."""
    note: str = ""
    """What to tell of a document that turns out private."""
    base: str = ""
    """The folder of its host that the site lies in, such as `/docs`; "" for none."""


InheritedBy = Callable[[str], Inherited]
"""Takes a file's path below its source's root; returns what the document inherits."""
NOTHING = Inherited()


@dataclass(frozen=True, slots=True)
class FoundFolder:
    """A folder of content that `sitetwin init` writes a `[[content]]` block for."""

    path: str
    """Relative to the project, with slashes."""
    url: str = ""
    exclude: tuple[str, ...] = ()


class ContentKind:
    default_visibility: Visibility = "private"
    """Of documents that say nothing themselves."""
    is_named_by_file = False
    """Whether a document is called as its file is, even one that opens with a # heading."""

    has_formulas = False
    """Whether `$…$` in a .md file is a formula, whose text stays as it is."""

    suffixes: tuple[str, ...] = MARKDOWN
    """Endings of the files that are reported on."""

    mdx_suffixes: tuple[str, ...] = (".mdx",)
    """Of files that are read as MDX."""

    def find(self, project: Path) -> list[FoundFolder]:
        """The folders of content of `project`, a folder in which `sitetwin init` runs; [] if it is not of this kind."""
        return []

    def is_of(self, folder: Path) -> bool:
        """Whether `sitetwin init` takes `folder`, which its user named, for one of this kind."""
        return False

    def address(self, collection: str) -> str:
        """The pattern of addresses that `sitetwin init` writes for such a folder.

        Args:
            collection: "/" and the folder's name, or "" if its name is no part of an address.
        """
        return "/notes/{slug}"

    def rule_against(self, root: Path) -> RuleAgainst:
        """The rule for the source whose folder is `root`."""
        return lambda path: ""

    def inherited(self, root: Path) -> InheritedBy:
        """What documents of the source whose folder is `root` inherit. It reads files, each once."""
        return lambda path: NOTHING

    def configurations(self, root: Path) -> list[Path]:
        """The files outside of documents, there or not, that `inherited` reads for a source whose folder is `root`."""
        return []

    def governs(self, path: str) -> bool:
        """Whether the file at `path` below a source can say what other documents in its folder inherit."""
        return False

    def is_private(self, path: str) -> bool:
        """Whether the place of a document, its path below the source, keeps it from visitors."""
        return False

    def has_no_page(self, values: Mapping[str, Any]) -> bool:
        """Whether the front matter `values` keep the document off the site: then it is private."""
        return False

    def slug(self, path: str, values: Mapping[str, Any]) -> str:
        """What `{slug}` in a pattern stands for: the document's path below the source as the site has it."""
        return words_of(values, "slug").strip("/ ") or astro_slug(path).strip("/")

    def title_slug(self, values: Mapping[str, Any], title: str) -> str:
        """What `{title}` in a pattern stands for."""
        return slugify(title)

    def pattern(self, url: str, path: str, values: Mapping[str, Any]) -> str:
        """The pattern of the address of the document at `path`, where the source's is `url`."""
        return url

    def own_address(self, path: str, values: Mapping[str, Any]) -> str:
        """The path from the site's root that the front matter gives the document in place of the pattern; "" for none."""
        return ""

    def with_includes(self, text: str, includes: Includes) -> str:
        """`text`, a file's body, with the text of the site's other files that it takes in."""
        return text

    def drop_calls(self, text: str, values: Mapping[str, Any]) -> str:
        """`text`, a file's body, without what the site's generator runs before it reads the Markdown."""
        return text

    def drop_comments(self, text: str) -> str:
        """`text`, Markdown whose code is masked, without what readers of the page do not see."""
        return drop_between(text, "%%", "%%", to_the_end=False)

    def read_marks(self, text: str) -> tuple[str, tuple[str, ...]]:
        """`text`, Markdown whose code is masked, without marks of its own, and the tags that stood in it, in order."""
        return text, ()

    def with_front_matter(self, values: Mapping[str, Any], text: str) -> str:
        """`text` and what the front matter `values` says to readers, apart from the text and above it."""
        told = described(values, text)
        return f"{told}\n\n***\n\n{text}" if told and text else told or text
