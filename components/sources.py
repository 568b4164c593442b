"""An answer's sources as the playground of the editor shows them."""

from lfx.schema.content_block import ContentBlock
from lfx.schema.content_types import TextContent

from pipeline.chat import Answer, Citation


def sources_block(answer: Answer) -> list[ContentBlock]:
    """One folded block below the answer; none when it cites nothing."""
    if not answer.citations:
        return []
    return [ContentBlock(title="Sources", contents=[_source(citation) for citation in answer.citations])]


def _source(citation: Citation) -> TextContent:
    name = " › ".join(part for part in (citation.title, citation.heading) if part)
    return TextContent(
        text=f"{name}\n{citation.url}\n\n> {' '.join(citation.quote.split())}",
        header={"title": f"[{citation.n}] {citation.title}", "icon": "BookOpenText"},
    )
