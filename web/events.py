"""What the gateway sends while an answer is made, as server-sent events."""

import json
import re
from typing import Any
from urllib.parse import urljoin

from sse_starlette import ServerSentEvent

from pipeline.weights.locating import shown_name


def event(kind: str, **data: Any) -> ServerSentEvent:
    """An event of this kind with JSON data."""
    return ServerSentEvent(json.dumps(data, ensure_ascii=False), event=kind, sep="\n")


def with_links(answer: dict[str, Any], base: str) -> dict[str, Any]:
    """The JSON of an `Answer` for a page: absolute citation addresses, none that is not http(s), and no path of a model."""
    answer["model"] = shown_name(answer["model"])
    for citation in answer["citations"]:
        citation["url"] = absolute(citation["url"], base)
    return answer


def absolute(url: str, base: str) -> str:
    """The address as seen from `base`; "" if it is not http(s)."""
    found = urljoin(base, url) if url else ""
    return found if re.match(r"https?://", found) else ""
