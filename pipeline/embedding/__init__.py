"""Turns texts into vectors, and measures how well a text answers a question."""
