"""A site whose ways to answer are compared, with a model that says the same to everyone."""

import threading
from collections.abc import Iterator

KEY = "the-owner-s-key"
OWNER = {"authorization": f"Bearer {KEY}"}
GOLDEN = """\
{"question": "What is the secret ingredient?", "fact": "rye", "page": "notes/diary.md"}
{"question": "Where does the starter live?", "fact": "jar", "page": "notes/starter.md"}
{"question": "Who won the cup of 1974?", "answerable": false, "why": "outside"}
{"question": "How does a morning feel?", "kind": "voice"}
"""


class Model:
    """Answers at once; while `hold` is set it waits for `go`."""

    def __init__(self) -> None:
        self.hold, self.go, self.closed = False, threading.Event(), threading.Event()

    def generate(self, messages: list[dict[str, str]], **_: object) -> Iterator[str]:
        try:
            yield "Of the model. "
            assert not self.hold or self.go.wait(20)
            yield "It ends."
        finally:
            self.closed.set()
