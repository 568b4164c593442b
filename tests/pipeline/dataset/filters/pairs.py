"""Pairs about a small note, for tests of what the filter says of them."""

from pipeline.dataset.records import Candidate, Pair, PairSource
from pipeline.settings import DatasetSettings, PairKind

TEXT = (
    "My greenhouse is 12 metres long, and the shed is 8 metres long. I water the tomatoes in the morning, never in the "
    "evening. The pump is a Gardena 5000. Compost is public at the Elm Road plot; seeds stay private.\n\n"
    "The key `pump.minutes` sets how long the pump runs. Slugs do not eat garlic."
)
SETTINGS = DatasetSettings()


def candidate(
    question: str,
    answer: str,
    kind: PairKind = "fact",
    *,
    text: str = TEXT,
    title: str = "The greenhouse",
    document: str = "notes/greenhouse.md",
    number: int = 0,
) -> Candidate:
    source = PairSource(f"{document}#{number}", document, number, title, "", text, "public")
    pair = Pair(
        question=question, answer=answer, kind=kind, source=document, chunk_index=number, chunks=(source.chunk,),
        accuracy=9, style=9,
    )  # fmt: skip
    return Candidate(pair, (source,))
