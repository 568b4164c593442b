"""A question to a cited answer."""

from pipeline.chat.conversation import Asked, found_for, understand
from pipeline.chat.records import Answer, Citation, Generate, Similarity, Timings, Turn
from pipeline.chat.respond import respond

__all__ = [
    "Answer",
    "Asked",
    "Citation",
    "Generate",
    "Similarity",
    "Timings",
    "Turn",
    "found_for",
    "respond",
    "understand",
]
