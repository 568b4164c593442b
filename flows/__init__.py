"""Saved Langflow flows, what builds them, and the Langflow server that runs them."""
