"""Clients of model servers: OpenAI-compatible ones and Ollama."""
