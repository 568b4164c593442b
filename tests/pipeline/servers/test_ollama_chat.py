import asyncio

import pytest
from ollama import Client
from pydantic import BaseModel, Field

from pipeline.errors import ModelError, UnreadableError
from pipeline.processes.endpoint import free_port
from pipeline.servers.ollama_chat import OllamaChat
from pipeline.servers.openai_chat import OpenAIChat
from pipeline.servers.structured import fill_in
from tests.ollama_server import MODEL


class City(BaseModel):
    name: str = Field(max_length=40)
    population: int


ASK = [{"role": "user", "content": "Name a city and its population, as JSON with name and population."}]


@pytest.mark.slow
@pytest.mark.ollama
def test_a_form_comes_back_filled_in(ollama):
    city = asyncio.run(fill_in(OllamaChat(MODEL, ollama), ASK, City, max_tokens=120))
    assert isinstance(city, City)


@pytest.mark.slow
@pytest.mark.ollama
def test_the_openai_way_to_the_same_server(ollama):
    city = asyncio.run(fill_in(OpenAIChat(MODEL, f"{ollama}/v1"), ASK, City, max_tokens=120))
    assert isinstance(city, City)


@pytest.mark.ollama
def test_the_name_holds_the_weights(ollama):
    with Client(ollama) as client:
        (digest,) = [known.digest for known in client.list().models if known.model == f"{MODEL}:latest"]
    assert OllamaChat(MODEL, ollama).name == f"ollama:{MODEL}-{digest[:12]}"


@pytest.mark.ollama
def test_a_model_that_is_missing_says_what_to_pull(ollama):
    with pytest.raises(ModelError, match=r"has no model gemma3:27b: run `ollama pull gemma3:27b`"):
        _ = OllamaChat("gemma3:27b", ollama).name
    with pytest.raises(ModelError, match="ollama pull gemma3:27b"):
        asyncio.run(fill_in(OllamaChat("gemma3:27b", ollama), ASK, City))


@pytest.mark.slow
@pytest.mark.ollama
def test_an_answer_that_is_cut_off_is_unreadable(ollama):
    with pytest.raises(UnreadableError, match="in 3 tries: the answer was cut off after 6 tokens"):
        asyncio.run(fill_in(OllamaChat(MODEL, ollama), ASK, City, max_tokens=3))


@pytest.mark.ollama
def test_a_slow_answer_says_what_to_change(ollama):
    with pytest.raises(ModelError, match=r"more than 0.01 s for one answer: raise teacher\.timeout_seconds"):
        asyncio.run(fill_in(OllamaChat(MODEL, ollama, timeout=0.01), ASK, City))


def test_no_server_says_how_to_start_it():
    with pytest.raises(ModelError, match=r"no Ollama answers at http://127.0.0.1:\d+: run `ollama serve`"):
        _ = OllamaChat(MODEL, f"http://127.0.0.1:{free_port()}").name
