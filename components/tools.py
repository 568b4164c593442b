"""What an agent reads of a component that is a tool, and what stays with it for whoever names the sources."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar

from langchain_core.callbacks import AsyncCallbackManagerForToolRun
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool
from lfx.base.tools.component_tool import ComponentStructuredTool
from lfx.schema.content_types import ToolContent
from lfx.schema.message import Message

from pipeline.chat import Citation
from pipeline.index.passages import Passage

_found: ContextVar[list[Passage] | None] = ContextVar("found", default=None)


class NotesTool(ComponentStructuredTool):
    """Langflow's tool of a component, with its result as text and the passages behind it as LangChain's artifact."""

    text_of: Callable[[object], str]

    async def _arun(
        self,
        *args: object,
        config: RunnableConfig,
        run_manager: AsyncCallbackManagerForToolRun | None = None,
        **kwargs: object,
    ) -> tuple[str, list[dict[str, object]]]:
        # LangChain reads the names and types of these arguments.
        passages: list[Passage] = []
        token = _found.set(passages)
        try:
            result, _ = await super()._arun(*args, config=config, run_manager=run_manager, **kwargs)
        finally:
            _found.reset(token)
        return self.text_of(result), [passage.model_dump(mode="json") for passage in passages]


def telling(tools: list[BaseTool], text_of: Callable[[object], str] = str) -> list[BaseTool]:
    """Langflow's tools of a component, with what they return as text. Of a table an agent would see a few cut columns only.

    Args:
        tools: as `Component._get_tools` makes them.
        text_of: writes a tool's result as text.

    Raises:
        TypeError: Langflow has made something else.
    """
    return [_telling(tool, text_of) for tool in tools]


def _telling(tool: BaseTool, text_of: Callable[[object], str]) -> BaseTool:
    if not isinstance(tool, ComponentStructuredTool) or tool.coroutine is None:
        raise TypeError(f"Langflow made a {type(tool).__name__} of a component: reinstall sitetwin[langflow]")
    return NotesTool(**{field: getattr(tool, field) for field in type(tool).model_fields}, text_of=text_of)


def named(tools: list[BaseTool], name: str) -> list[BaseTool]:
    """Langflow's only tool of a component under a name that tells an agent what it does; it makes one of the method's."""
    (tool,) = tools
    tool.name, tool.tags = name, [name]
    return [tool]


def keep(passages: Iterable[Passage]) -> None:
    """Keeps passages beside the result of the tool that runs now, if one does."""
    if (found := _found.get()) is not None:
        found += passages


def as_passage(citation: Citation) -> Passage:
    """What a citation names, as far as it is known."""
    return Passage(
        id=f"{citation.document}#{citation.heading}", document=citation.document, title=citation.title, url=citation.url,
        heading=citation.heading, text=citation.quote, score=0.0, visibility=citation.visibility,
    )  # fmt: skip


def passages_of(message: Message) -> list[list[Passage]]:
    """The passages that each call of an agent's tools brought, in the order of the calls."""
    calls = [block for block in message.content_blocks or [] if isinstance(block, ToolContent)]
    return [[Passage.model_validate(record) for record in found] for call in calls if (found := _artifact(call.output))]


def _artifact(output: object) -> Sequence[object]:
    """An artifact of ours, of LangChain's message as such or as Langflow stores it; () if there is none."""
    artifact = output.get("artifact") if isinstance(output, Mapping) else getattr(output, "artifact", None)
    is_ours = isinstance(artifact, list) and all(isinstance(one, Mapping) and "document" in one for one in artifact)
    return artifact if is_ours and isinstance(artifact, list) else ()
