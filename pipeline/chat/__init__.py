"""A question to a cited answer."""

from pipeline.chat.assistant import ask
from pipeline.chat.conversation import retrieval_query
from pipeline.chat.records import Answer, Citation, Generate, Similarity, Timings, Turn
from pipeline.chat.respond import respond

__all__ = ["Answer", "Citation", "Generate", "Similarity", "Timings", "Turn", "ask", "respond", "retrieval_query"]
