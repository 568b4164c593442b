from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from pipeline.content.formats import SkippedError
from pipeline.content.frontmatter import parse_yaml
from pipeline.content.parsing import parse_document
from pipeline.content.properties import property_lines
from pipeline.settings import ContentSource

FILM = b"""---
categories:
  - "[[Movies]]"
cover: https://example.org/x.jpg
director:
  - "[[people/Ridley Scott|Ridley Scott]]"
cast: ["[[Harrison Ford]]", Rutger Hauer]
rating: 7
seen: true
last: 2023-09-14
publish: true
empty:
---
"""


def document(data: bytes, kind: str = "obsidian") -> str:
    source = ContentSource(path=Path("vault"), kind=kind)  # type: ignore[arg-type]
    name = "Blade Runner.md"
    return parse_document(data, source, f"vault/{name}", Path(name), name, now=datetime.now(UTC))[0].text


def test_a_note_of_properties_alone_has_text() -> None:
    assert document(FILM) == (
        "- categories: Movies\n- director: Ridley Scott\n- cast: Harrison Ford, Rutger Hauer\n"
        "- rating: 7\n- seen: yes\n- last: 2023-09-14"
    )


def test_properties_stand_above_the_text() -> None:
    assert document(b"---\nyear: 1982\n---\nA film.\n") == "- year: 1982\n\nA film."


@pytest.mark.parametrize("kind", ["astro", "markdown"])
def test_other_kinds_keep_their_front_matter_to_themselves(kind: str) -> None:
    with pytest.raises(SkippedError):
        document(FILM, kind)


def test_what_says_nothing_gives_nothing() -> None:
    assert (
        property_lines({"tags": ["a"], "cover": "x.png", "url": "https://example.org", "none": None, "list": []}) == ""
    )


def test_properties_within_others_and_unquoted_links_are_words():
    values = parse_yaml("meta:\n  builder: Sam Holt\n  wood: [oak, {kind: ash}]\nup: [[Map of trees]]\n")
    assert property_lines(values) == (
        "- meta builder: Sam Holt\n- meta wood: oak\n- meta wood kind: ash\n- up: Map of trees"
    )


def test_a_few_lines_of_anchors_are_not_millions_of_words():
    lines = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9))]
    assert len(property_lines(parse_yaml("\n".join(lines)))) < 10_000


def test_dates_and_numbers_are_words() -> None:
    assert property_lines({"made": date(2020, 1, 2), "price": 1.5}) == "- made: 2020-01-02\n- price: 1.5"
