"""The Langflow extension bundle: thin components over `pipeline`."""
