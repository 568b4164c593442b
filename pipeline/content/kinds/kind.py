"""What a kind of content decides. A kind overrides what it does otherwise than a plain folder of Markdown."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pipeline.content.html import drop_between
from pipeline.content.properties import described
from pipeline.settings import Visibility

RuleAgainst = Callable[[str], str]
"""Takes a file's path below its source's root; returns why it is not read, with the next step, or ""."""


class ContentKind:
    default_visibility: Visibility = "private"
    """Of documents that say nothing themselves."""
    is_named_by_file = False
    """Whether a document is called as its file is, even one that opens with a # heading."""

    has_formulas = False
    """Whether `$…$` in a .md file is a formula, whose text stays as it is."""

    def is_of(self, folder: Path) -> bool:
        """Whether `sitetwin init` takes `folder` for one of this kind."""
        return False

    def address(self, collection: str) -> str:
        """The pattern of addresses that `sitetwin init` writes.

        Args:
            collection: "/" and the folder's name, or "" if its name is no part of an address.
        """
        return "/notes/{slug}"

    def rule_against(self, root: Path) -> RuleAgainst:
        """The rule for the source whose folder is `root`."""
        return lambda path: ""

    def is_private(self, path: str) -> bool:
        """Whether the place of a document, its path below the source, keeps it from visitors."""
        return False

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
