from pipeline.text.statements import clauses, halves, has_negation, statements
from pipeline.text.words import coverage


def test_a_statement_knows_its_numbers_names_and_sign() -> None:
    first, second = statements("The **Kanade** server has 8 drives. It isn't loud.")
    assert (first.numbers, first.named, first.negative) == ({"8"}, {"kanad"}, False)
    assert {"server", "drive"} <= first.stems
    assert (second.text, second.negative) == ("It isn't loud.", True)


def test_two_negations_affirm() -> None:
    [sentence] = statements("Nobody says it is not safe.")
    assert not sentence.negative
    assert has_negation(sentence.text)
    assert not has_negation("It is not only safe but fast.")


def test_a_sentence_has_parts() -> None:
    sentence = "The port is 8765, and the editor listens on 7860 because it is apart."
    assert [half.numbers for half in halves(sentence)] == [{"8765"}, {"7860"}]
    assert len(clauses(sentence)) == 3
    assert len(clauses("```\na; b, c\n```")) == 1


def test_other_forms_of_a_word_are_covered() -> None:
    assert coverage(["necess", "oven"], ["necessari"]) == 0.5
    assert coverage([], ["oven"]) == 1.0
