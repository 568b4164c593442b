"""Finds personal data and secrets, which a trained model would tell to anybody."""

import functools
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from pipeline.dataset.records import Candidate
from pipeline.settings import DatasetSettings

if TYPE_CHECKING:
    from detect_secrets.plugins.base import RegexBasedDetector

REGIONS = (None, "US", "GB", "DE", "FR", "ES", "IT", "NL", "AU", "IN")
"""Countries whose national forms of telephone numbers are known; None: numbers with a country code."""
LEAST_BITS = 3.8
"""Least entropy in bits per character of a random token; English words have about 3."""


class Find(NamedTuple):
    """A private piece of a text, `text[start:end]`."""

    what: str
    start: int
    end: int


_EMAIL = re.compile(
    r"[\w.+-]+\s?(?:@|[\[({]\s?at\s?[\])}])\s?[\w-]+(?:\s?(?:\.|[\[({]\s?dot\s?[\])}])\s?[\w-]+)*\s?(?:\.|[\[({]\s?dot\s?[\])}])\s?[a-z]{2,}",
    re.IGNORECASE,
)
_RESERVED = re.compile(r"@(?:[\w-]+\.)*(?:example(?:\.(?:com|net|org|edu))?|test|invalid|localhost)$", re.IGNORECASE)
"""Domains of RFC 2606, which nobody can own."""
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_CARD = re.compile(r"(?<![\d.-])\d(?:[ -]?\d){12,18}(?![\d-]|\.\d)")
_US_SOCIAL_SECURITY = re.compile(r"(?<![\d-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])")
_PASSWORD = re.compile(
    r"\b(?:password|passwort|passphrase|passcode|mot de passe|contraseña|senha|pin(?: code)?)\b"
    r"(?:\s+(?:for|of|to|von|für)(?:\s+[\w.-]+){1,4}?)?\s*(?::|=|\bis\b|\bist\b|\bwas\b|\best\b|\bes\b|\bé\b)\s*[\"'`“]?"
    r"(?P<secret>(?=[^\s\"'`”]*[\d!@#$%^&*?+=_-])[^\s\"'`”]{4,})",
    re.IGNORECASE,
)
_STREET = re.compile(
    # Number first, as English has it, with the kind of street; or the kind of street first or last and the number behind.
    r"\b\d{1,5}[a-z]? (?:[A-Z][\w'’.-]+ ){1,3}(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Close|"
    r"Crescent|Terrace|Square|Way|Place|Pl)\b\.?|"
    r"\b[A-ZÄÖÜ][\wäöüß-]*(?:straße|strasse|str\.|weg|gasse|allee|platz|laan|straat)\s\d{1,4}[a-z]?\b|"
    r"\b\d{1,4}(?:bis|ter)?,? (?:rue|avenue|boulevard|place|chemin|impasse) (?:de |du |des |de la |d')?[A-ZÉ]\w+|"
    r"\b(?:Calle|Via|Viale|Piazza|Rua|Avenida) (?:[\w'’]+ ){1,4}?\d{1,4}\b"
)  # fmt: skip
_KNOWN_TOKENS = re.compile(
    # Prefixes that detect-secrets 1.5 does not look for, or of which it gives only the prefix.
    r"\bgh[opsur]_[A-Za-z0-9]{36,}|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}(?:\.[\w-]*)?|"
    r"\bsk-(?:proj|ant|svcacct|or)-[\w-]{20,}|\bsk-[A-Za-z0-9]{32,}|\bhf_[A-Za-z0-9]{30,}|\bAIza[\w-]{35}|\bgithub_pat_\w{40,}|"
    r"\bxapp-[\w-]{20,}|\bglpat-[\w-]{20,}|\bdop_v1_[a-f0-9]{40,}|\bya29\.[\w-]{20,}"
)
_TOKEN = re.compile(r"(?<![\w+/=.-])[A-Za-z0-9+_]{24,}={0,2}(?![\w+/=-]|\.\w)")


def privacy(candidate: Candidate, settings: DatasetSettings) -> str:
    """The reason to refuse a pair with personal data or a secret, also of a public text; or "". It shows the find masked."""
    pair = candidate.pair
    for name, text in (("question", pair.question), ("answer", pair.answer)):
        if found := next(find(text), None):
            return f"the {name} holds {found.what} ({_masked(text[found.start : found.end])})"
    return ""


def find(text: str) -> Iterator[Find]:
    """Yields every private piece of `text`, kind by kind; pieces may overlap."""
    for look in (_emails, _secrets, _passwords, _accounts, _phones, _addresses):
        yield from look(text)


def redacted(text: str) -> str:
    """`text` with every private piece masked."""
    shown = list(text)
    for found in find(text):
        shown[found.start : found.end] = "•" * (found.end - found.start)
    return re.sub("•{4,}", "•••", "".join(shown))


def _emails(text: str) -> Iterator[Find]:
    for hit in _EMAIL.finditer(text):
        if not _RESERVED.search(hit[0]):
            yield Find("an e-mail address", *hit.span())


def _phones(text: str) -> Iterator[Find]:
    if sum(map(str.isdigit, text)) < 7:
        return
    from phonenumbers import Leniency, PhoneNumberMatcher

    for region in REGIONS:
        for hit in PhoneNumberMatcher(text, region, leniency=Leniency.STRICT_GROUPING):
            # A number without separators is more often a count or an id than a telephone number.
            if not hit.raw_string.isdigit():
                yield Find("a telephone number", hit.start, hit.end)


def _secrets(text: str) -> Iterator[Find]:
    for detector in _detectors():
        for secret in detector.analyze_string(text):
            if (start := text.find(secret)) >= 0 and secret:
                yield Find(f"a secret ({detector.secret_type})", start, start + len(secret))
    for hit in _KNOWN_TOKENS.finditer(text):
        yield Find("a token", *hit.span())
    for hit in _TOKEN.finditer(text):
        if _is_random(hit[0]):
            yield Find("what looks like a token", *hit.span())


def _passwords(text: str) -> Iterator[Find]:
    for hit in _PASSWORD.finditer(text):
        yield Find("a password", *hit.span("secret"))


def _accounts(text: str) -> Iterator[Find]:
    kinds: tuple[tuple[str, re.Pattern[str], Callable[[str], bool]], ...] = (
        ("an account number (IBAN)", _IBAN, is_iban),
        ("a card number", _CARD, is_card),
        ("a social security number", _US_SOCIAL_SECURITY, bool),
    )
    for what, pattern, is_one in kinds:
        for hit in pattern.finditer(text):
            if is_one(re.sub(r"[ -]", "", hit[0])):
                yield Find(what, *hit.span())


def _addresses(text: str) -> Iterator[Find]:
    for hit in _STREET.finditer(text):
        yield Find("a postal address", *hit.span())


def is_card(digits: str) -> bool:
    """Whether the check digit is right (Luhn, ISO/IEC 7812-1) and the first digit is of a payment card."""
    doubled = [int(digit) * (1 + position % 2) for position, digit in enumerate(reversed(digits))]
    return digits[0] in "3456" and sum(number - 9 * (number > 9) for number in doubled) % 10 == 0


def is_iban(number: str) -> bool:
    """Whether the check digits are right (ISO 13616: modulo 97)."""
    return int("".join(str(int(char, 36)) for char in number[4:] + number[:4])) % 97 == 1


def _is_random(token: str) -> bool:
    """Whether a token mixes cases and digits more than an identifier does. Hex is mostly a hash, which is no secret."""
    if not all(re.search(kind, token) for kind in ("[a-z]", "[A-Z]", "[0-9]")) or re.fullmatch("[0-9a-fA-F]+", token):
        return False
    counts = Counter(token)
    bits = -sum(count / len(token) * math.log2(count / len(token)) for count in counts.values())
    return bits >= LEAST_BITS


def _masked(value: str) -> str:
    """The first tenth of `value`, at most three characters, so that its owner can find it."""
    return f"{value[: min(3, max(1, len(value) // 10))]}•••"


@functools.cache
def _detectors() -> "list[RegexBasedDetector]":
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
    from detect_secrets.plugins.base import RegexBasedDetector
    from detect_secrets.plugins.ip_public import IPPublicDetector

    kinds: Iterable[Any] = get_mapping_from_secret_type_to_class().values()
    made = [kind() for kind in kinds]
    # An IP address is not a secret.
    return [one for one in made if isinstance(one, RegexBasedDetector) and not isinstance(one, IPPublicDetector)]
