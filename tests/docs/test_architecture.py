"""The map in ARCHITECTURE.md is the code's."""

import configparser
import re
from collections import defaultdict
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
DOORS = ("components", "flows", "mcp_server", "web")
Arrows = dict[str, set[str]]


def ground() -> set[str]:
    """The modules below the lowest room, by the rules that import-linter checks."""
    rules = configparser.ConfigParser()
    rules.read(ROOT / ".importlinter", encoding="utf-8")
    layers = re.split(r"[\s|]+", rules["importlinter:contract:pipeline"]["layers"].strip())
    return set(layers[layers.index("text") + 1 :])


@pytest.fixture(scope="module")
def arrows() -> Arrows:
    """From each room to those that it imports."""
    graph, lowest = grimp.build_graph("pipeline", *DOORS, exclude_type_checking_imports=True), ground()

    def room(module: str) -> str:
        top, *rest = module.split(".")
        if top != "pipeline" or not rest:
            return "" if top == "pipeline" else top
        return "ground" if rest[0] in lowest else rest[0].replace("__main__", "")

    found: Arrows = defaultdict(set)
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            if (here := room(module)) and (there := room(imported)) and here != there:
                found[here].add(there)
    return dict(found)


def reached(arrows: Arrows, room: str) -> set[str]:
    """All rooms that can be reached from `room`; needs arrows without a circle."""
    return arrows.get(room, set()).union(*(reached(arrows, next_room) for next_room in arrows.get(room, ())))


def test_the_drawing_shows_the_imports_without_those_that_follow_from_others(arrows: Arrows) -> None:
    needed = {
        (here, there)
        for here, others in arrows.items()
        for there in others
        if not any(there in reached(arrows, other) for other in others)
    }
    drawn = re.findall(r"^ +\w+ --> \w+$", TEXT, re.MULTILINE)
    assert drawn == [f"    {here} --> {there}" for here, there in sorted(needed)], (
        "draw these arrows in ARCHITECTURE.md"
    )


def test_every_room_has_its_question(arrows: Arrows) -> None:
    told = {name.removesuffix(".py") for name in re.findall(r"^\| `?([\w.]+)`? \|", TEXT, re.MULTILINE)}
    packages = {file.parent.name for file in (ROOT / "pipeline").glob("*/__init__.py")}
    assert packages <= told


def test_every_file_that_it_names_is_there() -> None:
    named = set(re.findall(r"`((?:[a-z_]+/)+[a-z_]+(?:\.py)?)`", TEXT))
    missing = {name for name in named if not (ROOT / "pipeline" / name).exists() and not (ROOT / name).exists()}
    assert not missing
