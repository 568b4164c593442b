"""Citations against the documents that hold the facts.

hit = answers that name at least one page with a fact / answerable questions with a page. precision = pages named that hold
a fact / pages named, the mean over answers that name some. recall = pages with a fact that are named / pages with a fact,
for questions over several pages. Precision and recall as for statements in Liu et al., Evaluating verifiability in
generative search engines, 2023; the unit here is the document.
"""

from pipeline.evaluation.golden import is_page
from pipeline.evaluation.measures.measure import Judged, Measure


def _named(judged: Judged) -> set[str]:
    return {citation.document for citation in judged.answer.citations}


def _hit(judged: Judged) -> float | None:
    pages = judged.question.page
    if not judged.question.answerable or not pages:
        return None
    return float(any(is_page(document, page) for document in _named(judged) for page in pages))


def _precision(judged: Judged) -> float | None:
    named, pages = _named(judged), judged.question.page
    if not judged.question.answerable or not named or not pages:
        return None
    return sum(any(is_page(document, page) for page in pages) for document in named) / len(named)


def _recall(judged: Judged) -> float | None:
    pages = judged.question.page
    if judged.question.kind != "synthesis" or not pages:
        return None
    return sum(any(is_page(document, page) for document in _named(judged)) for page in pages) / len(pages)


HIT = Measure(
    key="citation_hit",
    title="Right source named",
    sentence="Of the questions that the notes answer, how many answers name a page that really holds the answer.",
    cannot_see="whether the sentence beside the source is the one that the page holds",
    of=_hit,
    binary=True,
)
PRECISION = Measure(
    key="citation_precision",
    title="Citation precision",
    sentence="Of the pages that an answer names, how many hold the answer.",
    cannot_see="other pages that hold the answer too, if the question does not list them",
    of=_precision,
)
RECALL = Measure(
    key="citation_recall",
    title="Citation recall",
    sentence="Where an answer needs several pages, how many of them it names.",
    cannot_see="pages of which one is enough",
    of=_recall,
)
