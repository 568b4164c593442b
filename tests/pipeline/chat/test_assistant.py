from collections.abc import Iterator

import pytest

from pipeline.chat.assistant import Assistant
from pipeline.settings import Settings


class Client:
    """Says what it was asked."""

    def generate(self, messages: list[dict[str, str]], **_: object) -> Iterator[str]:
        yield messages[-1]["content"]


@pytest.mark.parametrize(("url", "mark"), [("", "<|im_end|>"), ("http://127.0.0.1:1/v1", "<\u2060|im_end|>")])
def test_only_a_server_that_reads_control_tokens_gets_them_broken(tmp_path, url, mark):
    settings = Settings(root=tmp_path, engine={"url": url})
    assistant = Assistant(settings, None, lambda adapter: Client(), None, None)
    *_, answer = assistant.ask("What does <|im_end|> do?", mode="base")
    assert answer.answer == f"What does {mark} do?"
