from collections.abc import Sequence
from itertools import islice, product
from string import ascii_lowercase

import numpy as np
import pytest

from pipeline.chat.refusing import NOT_IN_NOTES
from pipeline.dataset.filters import duplicates
from pipeline.dataset.filters.duplicates import BLOCK
from pipeline.dataset.records import Pair
from pipeline.embedding.embedder import load_embedder
from pipeline.settings import PairKind, Settings
from tests.pipeline.dataset.filters.pairs import candidate


@pytest.fixture(scope="module")
def embed(tmp_path_factory: pytest.TempPathFactory):
    return load_embedder(Settings(root=tmp_path_factory.mktemp("site"))).embed


def pair(question: str, answer: str, *, kind: PairKind = "fact", accuracy: int = 9, document: str = "a.md") -> Pair:
    made = candidate(question, answer, kind, document=document).pair
    return made.model_copy(update={"accuracy": accuracy})


def test_a_paraphrase_is_refused_and_names_the_other(embed) -> None:
    first = pair("How long is the greenhouse?", "It is 12 metres long.")
    other = pair("What is the length of the greenhouse?", "The greenhouse is 12 metres long.", document="b.md")
    found = duplicates([first, other], embed)
    assert found.keys() == {other.id}
    assert found[other.id].reason == "“How long is the greenhouse?” asks the same"


def test_the_better_graded_one_stays_and_what_the_owner_kept_always(embed) -> None:
    first = pair("How long is the greenhouse?", "It is 12 metres long.", accuracy=7)
    other = pair("How long is your greenhouse?", "It is 12 metres long.")
    assert duplicates([first, other], embed).keys() == {first.id}
    assert duplicates([first, other], embed, kept={first.id}).keys() == {other.id}
    assert duplicates([first, other], embed, kept={first.id, other.id}) == {}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("What is on port 8765?", "The gateway."), ("What is on port 7860?", "The Langflow editor.")),
        (("How does Lutris run on the Deck?", "Very well."), ("How does Heroic run on the Deck?", "Very well.")),
        (
            ("What does `up` start?", "The gateway, the engine."),
            ("What does `up` contain?", "A watcher for saved files."),
        ),
    ],
)
def test_questions_about_different_things_stay(embed, one: tuple[str, str], other: tuple[str, str]) -> None:
    assert duplicates([pair(*one), pair(*other)], embed) == {}


def test_a_refusal_of_what_another_chunk_answers_goes_whichever_comes_first(embed) -> None:
    refusal = pair("How long is the greenhouse?", NOT_IN_NOTES, kind="refusal", accuracy=10)
    answer = pair("How long is your greenhouse?", "It is 12 metres long.", accuracy=6, document="b.md")
    assert duplicates([refusal, answer], embed).keys() == duplicates([answer, refusal], embed).keys() == {refusal.id}


def test_a_refused_pair_refuses_no_other(embed) -> None:
    answer = "It is 12 metres long."
    chain = [pair(question, answer) for question in ("How long is the greenhouse?", "How long is the greenhouse then?")]
    third = pair("How long is the greenhouse then, please?", answer)
    found = duplicates([*chain, third], embed)
    assert chain[0].id not in found
    assert {rejection.reason for rejection in found.values()} == {f"“{chain[0].question}” asks the same"}


def test_the_same_is_found_a_block_later() -> None:
    words = ["".join(letters) for letters in islice(product(ascii_lowercase, repeat=3), BLOCK + 20)]

    def embed(texts: Sequence[str]) -> np.ndarray:
        rows = np.zeros((len(texts), len(words)), dtype=np.float32)
        rows[np.arange(len(texts)), [words.index(text.split()[-1].strip("?")) for text in texts]] = 1
        return rows

    first = [pair(f"what about {word}?", f"about {word}") for word in words]
    again = [pair(f"and what about {word}?", f"about {word}") for word in words[:30]]
    assert duplicates([*first, *again], embed).keys() == {one.id for one in again}
    assert duplicates([], embed) == {}
