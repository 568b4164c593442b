"""The Langflow Extension bundle: thin components over `pipeline`."""
