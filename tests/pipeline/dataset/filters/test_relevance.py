from collections.abc import Sequence

import numpy as np
import pytest

from pipeline.chat.refusing import NOT_IN_NOTES
from pipeline.dataset.filters import relevance
from pipeline.dataset.filters.relevance import KNOWN
from pipeline.embedding.embedder import load_embedder
from pipeline.settings import Settings
from tests.pipeline.dataset.filters.pairs import candidate


@pytest.fixture(scope="module")
def embed(tmp_path_factory: pytest.TempPathFactory):
    return load_embedder(Settings(root=tmp_path_factory.mktemp("site"))).embed


def test_questions_about_the_text_pass(embed) -> None:
    asked = ["How long is the greenhouse?", "When do you water your tomatoes?", "Is the Gardena 5000 your pump?"]
    assert relevance([candidate(question, "Yes.") for question in asked], embed) == {}


def test_questions_about_something_else_are_refused(embed) -> None:
    told = [
        candidate("Who painted the Mona Lisa?", "Leonardo."),
        candidate("What does a monthly train ticket cost?", "It is 12 metres long."),
        candidate("How fast is a Toyota Corolla?", "The pump is a Gardena 5000."),
    ]
    found = relevance(told, embed)
    assert found.keys() == {one.pair.id for one in told}
    assert {rejection.stage for rejection in found.values()} == {"relevance"}
    assert "“Lisa”" in found[told[0].pair.id].reason
    assert "cost" in found[told[1].pair.id].reason


def test_the_author_may_be_asked_in_words_that_the_text_lacks(embed) -> None:
    text = "On Fridays I restore old synthesizers, and on Saturdays I play music in a band and paint."
    known = candidate("What are your hobbies?", "I restore synthesizers.", text=text, title="About")
    assert relevance([known], embed) == {}


def test_a_file_of_the_text_may_be_asked_for(embed) -> None:
    text = "Put your password into `.my.cnf` and remove read permissions from everyone but yourself."
    assert relevance([candidate("How do I keep my .my.cnf safe?", "Remove them.", text=text)], embed) == {}


def test_function_words_of_another_language_do_not_count(embed) -> None:
    text = "Gestochen wurde ich bisher neunmal, immer an den Händen. Die Ausrüstung hat 420 Euro gekostet."
    asked = candidate("Wie oft wurdest du gestochen?", "Neunmal.", text=text, title="Bienen")
    assert relevance([asked], embed) == {}


def test_a_document_may_be_asked_for_by_its_title(embed) -> None:
    asked = candidate("What are the main points of “Oddments”?", "Compost is public.", title="Oddments")
    assert relevance([asked], embed) == {}


def test_refusals_may_ask_what_they_like(embed) -> None:
    assert relevance([candidate("Who painted the Mona Lisa?", NOT_IN_NOTES, "refusal")], embed) == {}


def test_a_name_that_many_questions_bring_in_is_the_authors() -> None:
    def far_apart(texts: Sequence[str]) -> np.ndarray:
        """Questions and text have a cosine of .3: near enough only for what brings in no other name."""
        rows = [[0.3, (1 - 0.09) ** 0.5] if "Odile" in text else [1.0, 0.0] for text in texts]
        return np.array(rows, dtype=np.float32)

    asked = [candidate("Which pump does Odile run?", f"A Gardena {n}.", number=n) for n in range(KNOWN)]
    assert relevance(asked, far_apart) == {}
    assert len(relevance(asked[:-1], far_apart)) == KNOWN - 1


def test_nothing_is_embedded_for_nothing() -> None:
    def embed(texts: Sequence[str]) -> np.ndarray:
        raise AssertionError(texts)

    assert relevance([], embed) == {}
