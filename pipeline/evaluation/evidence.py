"""What the notes say about a question: the same for every system, so that their answers can be held against one text."""

from collections.abc import Sequence
from functools import cached_property

from pipeline.chat import Answer
from pipeline.content.documents import Chunk, Document
from pipeline.evaluation.golden import GoldenQuestion, is_page
from pipeline.index.passages import Passage
from pipeline.settings import Visibility
from pipeline.site import Site


class Evidence:
    """Finds passages of a site's notes.

    Args:
        site: the site, whose index is searched as its settings say.
        visibility: `public` for what visitors may see; None for everything.
    """

    def __init__(self, site: Site, visibility: Visibility | None = None) -> None:
        self._site = site
        self._visibility = visibility
        self._found: dict[str, list[Passage]] = {}

    @cached_property
    def documents(self) -> list[Document]:
        """The documents of this visibility."""
        return [one for one in self._site.documents() if self._visibility in (None, one.visibility)]

    @cached_property
    def _by_id(self) -> dict[str, Document]:
        return {document.id: document for document in self.documents}

    def of(self, question: GoldenQuestion, answer: Answer) -> list[Passage]:
        """What a search finds for `question`, and all of the pages that hold its facts or that `answer` names.

        Raises:
            SitetwinError: there is no index, or no embedder.
        """
        if question.question not in self._found:
            with self._site.index() as index:
                self._found[question.question] = index.search(question.question, visibility=self._visibility).passages
        pages = [id for id in self._by_id if any(is_page(id, page) for page in question.page)]
        whole = dict.fromkeys([*pages, *(citation.document for citation in answer.citations)])
        return [*self._found[question.question], *(passage for id in whole for passage in self._passages(id))]

    def _passages(self, id: str) -> Sequence[Passage]:
        document = self._by_id.get(id)
        return [_passage(document, chunk) for chunk in self._site.cut(document)] if document else []


def _passage(document: Document, chunk: Chunk) -> Passage:
    return Passage(
        id=chunk.id, document=document.id, title=document.title, url=document.url, heading=" > ".join(chunk.headings),
        text=chunk.text, score=0.0, visibility=document.visibility,
    )  # fmt: skip
