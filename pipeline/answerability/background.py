"""Learning in the background, so that no visitor waits for it."""

import threading
from collections.abc import Callable

from pipeline.answerability.calibration import refresh_calibration
from pipeline.errors import SitetwinError
from pipeline.settings import Settings


class BackgroundCalibration:
    """Called after each sync; `settings` gives those in force by then."""

    def __init__(self, settings: Callable[[], Settings], say: Callable[[str], None]) -> None:
        self._settings, self._say = settings, say
        self._thread: threading.Thread | None = None

    def __call__(self) -> None:
        """Returns at once. What changes while it still learns is seen after the next sync."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._refresh, daemon=True)
            self._thread.start()

    def join(self) -> None:
        if self._thread is not None:
            self._thread.join()

    def _refresh(self) -> None:
        try:
            if refresh_calibration(self._settings()):
                self._say("learnt from the notes when to decline a question")
        except SitetwinError as error:
            self._say(f"when to decline a question was not learnt: {error}")
