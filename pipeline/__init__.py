"""The library: content, index, models and chat. Knows nothing of Langflow, MCP or the web."""
