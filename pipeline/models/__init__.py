"""Weights and who runs them: the MLX engine, OpenAI-compatible servers, embedders, demo weights."""
