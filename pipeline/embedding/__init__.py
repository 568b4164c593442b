"""Texts to vectors, and how well a text answers a question."""
