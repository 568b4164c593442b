"""The saved Langflow flows, their builder, and the Langflow server that runs them."""
