"""A small site with an index, for the tests of components and flows."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pipeline.processes import engine, vectors
from pipeline.processes.endpoint import free_port
from pipeline.settings import Settings, load_settings
from pipeline.site import Site

NOTES = {
    "bread.md": "# Baking bread\n\n## First rise\n\nThe dough rises for two hours at 24 degrees.\n\n## Oven\n\nBake it for 35 minutes at 240 degrees.\n",
    "tea.md": "---\ntags: [drinks]\ndate: 2024-03-31\n---\n# Tea\n\nGreen tea draws for three minutes at 75 degrees. Black tea draws for four minutes.\n",
    "diary.md": "---\nprivate: true\n---\n# Diary\n\nThe spare key is under the blue flower pot.\n",
}
BREAD = "# Baking bread\n\n## First rise\n\nThe dough rises for two hours at 24 degrees.\n"
FEW_NOTES = {"bread.md": BREAD, "diary.md": NOTES["diary.md"]}

CONFIG = """\
[[content]]
path = "notes"
url = "/notes/{{slug}}"
visibility = "public"

[langflow]
port = {port}
"""


@contextmanager
def indexed_site(root: Path, notes: Mapping[str, str] = NOTES, more: str = "") -> Iterator[Settings]:
    """A site of notes, one of them private, with its index; its shared processes end with it.

    Args:
        root: where it is made.
        notes: texts by file name.
        more: TOML that sitetwin.toml has beside `CONFIG`.
    """
    (root / "notes").mkdir(parents=True)
    for name, text in notes.items():
        (root / "notes" / name).write_text(text, encoding="utf-8")
    (root / "sitetwin.toml").write_text(CONFIG.format(port=free_port()) + more, encoding="utf-8")
    settings = load_settings(root / "sitetwin.toml")
    try:
        with Site(settings).index() as index:
            index.sync()
        yield settings
    finally:
        end_services(settings)


def end_services(settings: Settings) -> None:
    """Ends the site's shared processes."""
    for service in (vectors.service(settings), engine.service(settings)):
        if endpoint := service.find():
            service.stop(endpoint)
