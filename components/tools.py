"""What an agent reads of a component that is a tool. Of a table it would see a few cut columns only."""

from collections.abc import Callable

from langchain_core.tools import BaseTool, StructuredTool


def telling(tools: list[BaseTool], text_of: Callable[[object], str]) -> list[BaseTool]:
    """Langflow's tools of a component, with what they return as text.

    Args:
        tools: as `Component._get_tools` makes them.
        text_of: writes a tool's result as text.
    """
    return [_telling(tool, text_of) for tool in tools]


def _telling(tool: BaseTool, text_of: Callable[[object], str]) -> BaseTool:
    if not isinstance(tool, StructuredTool) or tool.coroutine is None:
        raise TypeError(f"Langflow made a {type(tool).__name__} of a component: reinstall sitetwin[langflow]")
    work = tool.coroutine

    async def work_and_tell(*args: object, **kwargs: object) -> str:
        return text_of(await work(*args, **kwargs))

    tool.coroutine = work_and_tell
    return tool


def named(tools: list[BaseTool], name: str) -> list[BaseTool]:
    """Langflow's only tool of a component under a name that tells an agent what it does; it makes one of the method's."""
    (tool,) = tools
    tool.name, tool.tags = name, [name]
    return [tool]
