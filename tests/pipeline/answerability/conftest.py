"""A vault that is searched by keywords: no model, no vector store."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from pipeline.settings import ChatSettings, ContentSource, RetrievalSettings, Settings
from pipeline.site import Site

NOTES = {
    "tart.md": "# Nectarine tart\n\nHeat the oven to 425 degrees for the pastry crust. Fill the tart with four ripe"
    " nectarines.\n\nLet the tart cool before you remove it from the pan. Serve it with whipped cream.",
    "server.md": "# Home server\n\nThe home server is named Kanade and keeps its disks in a ZFS pool. Its case has room"
    " for eight drives.\n\nBackups run every night and are copied to a cold disk each month.",
    "mouse.md": "# Mice\n\nThe Razer Mamba had a battery that expanded after a year. The Havit mouse cost fifteen"
    " dollars and was perfect.\n\nThe middle button of the Logitech stopped working within months.",
    "kyoto.md": "# Kyoto\n\nFushimi Inari is a shrine in Kyoto with thousands of red gates. We walked up before sunrise."
    "\n\nThe trip began in September and ended after eighteen days.",
    "advice.md": "# Advice\n\nBeing enthusiastic is worth twenty five points. Never use all purpose glue for anything."
    "\n\nRead to your children regularly and you bond together.",
    "shell.md": "# Shell\n\nThe fish shell expands abbreviations interactively and completes history. Python scripts"
    " replaced most of my aliases.\n\nThe prompt shows the branch of the repository.",
}


class Vault:
    def __init__(self, root: Path) -> None:
        self.root = root
        source = ContentSource(path=Path("notes"), visibility="public")
        self.settings = Settings(root=root, content=[source], retrieval=RetrievalSettings(mode="keyword"))
        self.write(NOTES)

    def write(self, notes: Mapping[str, str]) -> None:
        folder = self.root / "notes"
        folder.mkdir(exist_ok=True)
        for name, text in notes.items():
            (folder / name).write_text(text, encoding="utf-8")
        with Site(self.settings).index() as index:
            index.sync()

    def declining_below(self, limit: float) -> Settings:
        return self.settings.model_copy(update={"chat": ChatSettings(decline_below=limit)})


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path)
