import pytest

from pipeline.dataset.filters import Check
from pipeline.dataset.filters.privacy import is_card, is_iban, privacy, redacted
from pipeline.settings import DatasetSettings
from tests.pipeline.dataset.filters.pairs import SETTINGS, candidate

LEAKS = {
    "an e-mail address": ["Write to jo.b+site@posteo.net.", "I am at jo (at) brunnenweg (dot) de."],
    "a telephone number": [
        "Call +49 30 901820.",
        "Ring (415) 362-8240.",
        "My mobile is 07911 123456.",
        "06 12 34 56 78",
    ],
    "a secret": ["It is AKIAIOSFODNN7EXAMPLE.", "postgres://me:s3cr3tpw@db/notes", "-----BEGIN RSA PRIVATE KEY-----"],
    "a token": [
        "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",
        "It is sk-ant-api03-Zx81mNq4TyRb62LwPc09.",
        "AIzaSyD4x7Qm2ZkW9pVb3LtNcR8yHfJ6sEoU1Ga",
    ],
    "what looks like a token": ["The hook needs q8ZtR4mVx2LpW9sKb7NcYd3F."],
    "a password": ["The password is Tr0ub4dor&3.", "password: winterfell-88", "Das Passwort ist Sommer2020!"],
    "an account number (IBAN)": ["Transfer to DE89 3704 0044 0532 0130 00.", "GB29NWBK60161331926819"],
    "a card number": ["My Visa is 4111 1111 1111 1111."],
    "a social security number": ["It is 078-05-1120."],
    "a postal address": ["I live at 48 Maple Grove Road.", "Lindenstraße 12, Berlin", "12 rue de la Paix, Paris"],
}


@pytest.mark.parametrize(("what", "answer"), [(what, answer) for what, answers in LEAKS.items() for answer in answers])
def test_personal_data_and_secrets_are_refused_and_masked(what: str, answer: str) -> None:
    reason = privacy(candidate("How can I reach you?", answer), SETTINGS)
    assert reason.startswith(f"the answer holds {what}")
    shown = reason.rpartition("(")[2].removesuffix("•••)")
    assert len(shown) <= 3
    assert redacted(answer) != answer
    assert "•••" in redacted(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "Write to you@example.org, or to me@mail.example.com.",
        "The gateway is on http://127.0.0.1:8765, Langflow on port 7860.",
        "Version 3.11.7 of 2026-11-21, and 5,000,000 bytes of 1234567890123456.",
        "The commit is 3f786850e387550fdab836ed7e6dc881de23001b.",
        "The model is mlx-community/gemma-3-12b-it-4bit, the other SmolLM2-135M-Instruct.",
        "A password is a word that nobody else knows; choose a long one.",
        "Set `SITETWIN_ENGINE__API_KEY` to your key.",
        "I moved to Berlin in 2013, and 12 people came along the Elm Road.",
        "It scored 10-12, 24-13 and 8-20 in 1998-2004.",
        "The class AbstractSingletonProxyFactoryBean has no tests.",
    ],
)
def test_what_is_nobodys_secret_passes(answer: str) -> None:
    assert privacy(candidate("What is it?", answer), SETTINGS) == ""
    assert redacted(answer) == answer


def test_questions_are_looked_at_too() -> None:
    asked = candidate("Whose address is jo.b@posteo.net?", "It is mine.")
    assert privacy(asked, SETTINGS).startswith("the question holds an e-mail address (j•••)")


def test_no_reason_of_another_stage_tells_what_is_masked() -> None:
    text = "Box 12 at jo.b@posteo.net takes letters, and box 14 takes parcels."
    told = candidate("Which box takes letters?", "Box 14 takes letters.", text=text)
    refused = Check(DatasetSettings(stages=["grounding"]))(told)
    assert refused is not None
    assert "of this it says “Box 12 at ••• takes letters" in refused.reason


def test_check_digits() -> None:
    assert is_card("4111111111111111")
    assert not is_card("4111111111111112")
    assert is_iban("DE89370400440532013000")
    assert not is_iban("DE88370400440532013000")
