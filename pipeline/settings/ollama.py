"""Where Ollama is."""

import os
from urllib.parse import urlsplit

OLLAMA_PORT = 11434


def ollama_address(url: str = "") -> str:
    """The address of Ollama: `url`, else OLLAMA_HOST, else Ollama's usual address."""
    return url or os.environ.get("OLLAMA_HOST") or f"http://127.0.0.1:{OLLAMA_PORT}"


def ollama_openai_url(url: str = "") -> str:
    """The address at which that Ollama speaks OpenAI's protocol; it ends with `/v1`."""
    named = ollama_address(url).rstrip("/").removesuffix("/v1")
    if "://" not in named:  # OLLAMA_HOST may be a host alone, or a host with a port
        named = f"http://{named}"
        named = named if urlsplit(named).port else f"{named}:{OLLAMA_PORT}"
    return f"{named}/v1"
