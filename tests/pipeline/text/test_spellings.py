import pytest

from pipeline.text.names import names
from pipeline.text.spellings import written_otherwise


def lacking(question: str, text: str) -> set[str]:
    wanted = names(question)
    return wanted - written_otherwise(wanted, question, text)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Where is the downtown of SF?", "The library is in San Francisco, near the park."),
        ("What is in the centre of San Francisco?", "Our SF office is in the centre."),
        ("Who is treated in the USA?", "Hospitals of the United States treat them."),
        ("Who is treated in the U.S. today?", "The US treats them."),
        ("Is medicare paid from SS payments?", "Medicare is deducted from your Social Security benefit."),
        ("How do VPNs and firewalls differ?", "A virtual private network hides, a firewall bars."),
        ("How does a VPN differ from a firewall?", "VPNs hide, firewalls bar."),
        ("Who was in the DOJ then?", "She worked at the Department of Justice."),
        ("How far is NYC?", "I moved to New York City."),
        ("Is the CLI fast?", "A command-line interface comes with it."),
        ("What is an LLM?", "It is a large language\nmodel."),
        ("How do I apply for MediCal?", "Apply for Medi-Cal at your county's office."),
        ("Does it answer like GPT4 now?", "GPT-4 answers."),
        ("How do I apply for Medi-Cal?", "MediCal is for those who live in California."),
    ],
)
def test_a_name_in_another_spelling_is_held(question: str, text: str) -> None:
    assert names(question)
    assert lacking(question, text) == set()


@pytest.mark.parametrize(
    ("question", "text", "missing"),
    [
        ("Where is the downtown of LA?", "The library is in San Francisco.", {"la"}),
        # Two words that begin so by chance.
        ("Where is the downtown of SF?", "There is some food in the kitchen.", {"sf"}),
        # Words that say nothing of their own, or with an end of a sentence between them.
        ("How far is NYC from here?", "Save it now, you can go on.", {"nyc"}),
        ("Did the CIA ask?", "The cake is all that she baked. Colour it. Ask her.", {"cia"}),
        ("Which bank has an ATM?", "The answer of a tiny model is a quotation.", {"atm"}),
        ("Who is read by the FBI?", "It keeps folders and brings them to it.", {"fbi"}),
        ("Does it run on an iPhone?", "It runs on a MacBook.", {"iphon"}),
        ("How do I apply for MediCal?", "Apply for Medicare.", {"medic"}),
        ("What is 17 times 23?", "Version 1.7 of pages 2-3.", {"17", "23"}),
    ],
)
def test_a_name_that_is_nowhere_is_lacking(question: str, text: str, missing: set[str]) -> None:
    assert lacking(question, text) == missing
