"""A content collection of Astro."""

from pathlib import Path

from pipeline.content.kinds.kind import ContentKind
from pipeline.settings import Visibility


class Astro(ContentKind):
    default_visibility: Visibility = "public"

    def is_of(self, folder: Path) -> bool:
        return "content" in folder.resolve().parts[-2:]

    def address(self, collection: str) -> str:
        return f"{collection}/{{slug}}/"

    def is_private(self, path: str) -> bool:
        # Astro builds no page of what begins with an underscore
        return any(part.startswith("_") for part in path.split("/"))

    def drop_comments(self, text: str) -> str:
        return text


ASTRO = Astro()
