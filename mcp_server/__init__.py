"""The MCP server: a thin layer over `pipeline`."""
