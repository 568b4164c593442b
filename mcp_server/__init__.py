"""The MCP server: thin over `pipeline`."""
