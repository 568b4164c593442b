"""Writes an answer with its sources, for the editor's Playground and Langflow's own chats."""

from urllib.parse import urljoin

from pipeline.chat import Answer, Citation


def with_sources(answer: Answer, site: str) -> str:
    """The answer in Markdown, followed by a numbered list of the sources that it cites, if any.

    Args:
        site: the site's address, e.g. `http://127.0.0.1:8765`, for sources whose address has no host.
    """
    if not answer.citations:
        return answer.answer
    return "\n".join([answer.answer, "", "**Sources**", "", *(_line(citation, site) for citation in answer.citations)])


def _line(citation: Citation, site: str) -> str:
    name = " › ".join(part for part in (citation.title, citation.heading) if part).replace("[", "(").replace("]", ")")
    return f"- [{citation.n}] " + (f"[{name}]({urljoin(site, citation.url)})" if citation.url else name)
