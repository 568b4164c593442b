"""The chat's own words in each language."""

import json
import re
from pathlib import Path

import pytest

from pipeline.text.languages.tables import known_codes

WEB = Path(__file__).parents[2] / "web"
SAID = set(re.findall(r"\bt\('([^']+)'", (WEB / "static/sitetwin.js").read_text(encoding="utf-8")))


def test_each_language_with_a_table_has_words_for_the_chat():
    assert {file.stem for file in (WEB / "words").glob("*.json")} == set(known_codes()) - {"en"}


@pytest.mark.parametrize("file", sorted((WEB / "words").glob("*.json")), ids=lambda file: file.stem)
def test_every_word_of_the_chat_is_there(file):
    words = json.loads(file.read_text(encoding="utf-8"))
    assert set(words) == SAID
    assert all(said.count("{}") == english.count("{}") and said.strip() for english, said in words.items())
