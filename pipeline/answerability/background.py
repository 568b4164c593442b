"""Learns in a background thread, so that no visitor waits for it."""

import threading
from collections.abc import Callable

from pipeline.errors import SitetwinError


class BackgroundCalibration:
    """Call it after each sync.

    Args:
        learn: learns, and returns whether there was anything to learn.
        say: shows a line to a person.
    """

    def __init__(self, learn: Callable[[], bool], say: Callable[[str], None]) -> None:
        self._learn, self._say = learn, say
        self._thread: threading.Thread | None = None

    def __call__(self) -> None:
        """Starts to learn and returns at once. It does nothing while it still learns: the next sync calls again."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._refresh, daemon=True)
            self._thread.start()

    def join(self) -> None:
        """Waits until it has learnt."""
        if self._thread is not None:
            self._thread.join()

    def _refresh(self) -> None:
        try:
            if self._learn():
                self._say("learnt from the notes when to decline a question")
        except SitetwinError as error:
            self._say(f"when to decline a question was not learnt: {error}")
