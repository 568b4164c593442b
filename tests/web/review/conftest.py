"""A data set of small notes, made by a teacher that needs no model, on the page of the review."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.testclient import TestClient

from pipeline.content.documents import Document
from pipeline.dataset.build import Built, build
from pipeline.dataset.decisions import Decision, decisions_file, read_decisions
from pipeline.dataset.versions import DatasetRow, Rejected, read_rejected, read_rows, version_folder
from pipeline.settings import Settings
from tests.pipeline.dataset.notes import FirstSentences, WordJudge, cut, document, embed, site
from web.review.app import create_app
from web.review.pairs import PairReview

TOKEN = "secret-of-this-start"


@dataclass
class Review:
    settings: Settings
    documents: list[Document] = field(default_factory=lambda: [document(number) for number in range(5)])

    def build(self) -> Built:
        """As `sitetwin dataset build`, with a judge that lets no voice through."""

        def run() -> Built:
            teacher, judge = FirstSentences(), WordJudge("voice")
            return asyncio.run(build(self.settings, self.documents, teacher=teacher, judge=judge, cut=cut, embed=embed))

        # Playwright keeps a loop running in the test's own thread.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(run).result()

    def app(self, version: int | None = None) -> Any:
        return create_app(PairReview(self.settings, lambda: self.documents, cut, version), TOKEN)

    def client(self, version: int | None = None) -> TestClient:
        return TestClient(self.app(version), base_url=f"http://127.0.0.1:9/{TOKEN}/")

    def rows(self) -> list[DatasetRow]:
        return read_rows(version_folder(self.settings))

    def rejected(self) -> list[Rejected]:
        return read_rejected(version_folder(self.settings))

    def decisions(self) -> dict[str, Decision]:
        return read_decisions(decisions_file(self.settings))


@pytest.fixture
def review(tmp_path: Any) -> Review:
    made = Review(site(tmp_path))
    made.build()
    return made


@pytest.fixture
def client(review: Review) -> TestClient:
    return review.client()


@pytest.fixture
def review_url(review: Review, serve: Callable[[Any], str]) -> str:
    return f"{serve(review.app())}/{TOKEN}/"
