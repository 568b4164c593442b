"""Which of the demo's embedders fits notes in these languages."""

from collections.abc import Mapping

from pipeline.text.languages.tables import table
from pipeline.weights.demo import DEMO, MULTILINGUAL

FOREIGN_SHARE = 0.1
"""If at least this share of the notes is in other languages than English, the multilingual embedder is better for all.

On English documentation it finds a little less (MRR@3 .865 against .892, hybrid). all-MiniLM-L6-v2 does not know half of the
Chinese tokens and cuts most Russian chunks."""
SHOWN = 4
"""So many languages are named."""


def fitting_embedder(languages: Mapping[str, int]) -> str:
    """The name for `models.embedder`.

    Args:
        languages: how many notes are in each language, by ISO 639-1 code.
    """
    total = sum(languages.values())
    return MULTILINGUAL if total and total - languages.get("en", 0) >= FOREIGN_SHARE * total else DEMO


def advice(embedder: str, languages: Mapping[str, int]) -> str:
    """What to change where the demo's English embedder meets other languages; "" if nothing."""
    if embedder != DEMO or fitting_embedder(languages) == DEMO:
        return ""
    return (
        f"the notes are in {named(languages)}, and the embedder reads English: "
        f'set [models] embedder = "{MULTILINGUAL}" and run `sitetwin index --rebuild`'
    )


def named(languages: Mapping[str, int]) -> str:
    """The languages with their counts: `German (12), English (3)`."""
    most = sorted(languages.items(), key=lambda item: -item[1])
    shown = [f"{table(code).name or code} ({count})" for code, count in most[:SHOWN]]
    return ", ".join([*shown, *(["others"] if len(most) > SHOWN else [])])
