"""Reranker."""

import asyncio

from lfx.custom.custom_component.component import Component
from lfx.io import DropdownInput, IntInput, Output
from lfx.schema.dataframe import DataFrame

from components.configuration import configuration_input, settings_of
from components.inputs import passages_input, question_input, question_of
from components.passages import from_input, is_connected, retrieve_ms, to_table
from pipeline.index.reranking import rerank
from pipeline.site import Site

RERANKER = "reranker of sitetwin.toml"
EMBEDDER = "embedder of sitetwin.toml"


class RerankerComponent(Component):
    """Langflow's node that sorts passages again."""

    display_name = "Reranker"
    description = "Sorts the passages of one or several retrievers by how well each answers the question."
    documentation = "/sitetwin/help#reranker"
    icon = "ArrowDownWideNarrow"
    name = "RerankerComponent"

    inputs = [
        question_input("What the passages shall answer: connect Chat Input."),
        passages_input(
            "From one or several retrievers, ours or others'. A text that comes twice stays once.", required=True
        ),
        IntInput(
            name="most",
            display_name="Passages to Keep",
            info="How many of the best are handed on; 0: as many as sitetwin.toml takes (retrieval.passages).",
            value=0,
        ),
        DropdownInput(
            name="model",
            display_name="Model",
            info="A reranker reads question and passage together, which is better and slower. sitetwin comes without "
            "one: models.reranker names its folder. The embedder compares meanings and is always there.",
            options=[EMBEDDER, RERANKER],
            value=EMBEDDER,
            advanced=True,
        ),
        configuration_input(),
    ]
    outputs = [Output(name="ranked", display_name="Passages", method="rank")]

    async def rank(self) -> DataFrame:
        """A table with one row per passage, best first, with the new scores.

        Raises:
            ValueError: the node got no question or no passages, or a passage has no text.
            ModelError: no reranker is named, or the embedder can't be had.
        """
        settings = settings_of(self)
        question = question_of(self)
        if not is_connected(self.passages):
            raise ValueError("Reranker got no passages: connect Notes Retriever, or another retriever, to its Passages")
        passages, site = from_input(self.passages), Site(settings)
        scores = site.reranker().scores if self.model == RERANKER else site.similarity
        best = await asyncio.to_thread(rerank, question, passages, scores, self.most or settings.retrieval.passages)
        table = to_table(best, retrieve_ms(self.passages))
        self.log(f"{len(best)} of {len(passages)} passages kept")
        self.status = table
        return table
