"""Version and dependencies of `lfx-sitetwin` are those of sitetwin itself, so that they stand in one place."""

import tomllib
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

LFX = "lfx>=1.13,<1.14"


class SitetwinsOwn(MetadataHookInterface):
    """Reads pyproject.toml of the repository."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill in what pyproject.toml calls dynamic."""
        own = tomllib.loads((Path(self.root).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        metadata["version"] = own["version"]
        metadata["dependencies"] = [*own["dependencies"], LFX]
