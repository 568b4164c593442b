"""The settings of a process that runs on while their file is edited."""

from pathlib import Path

from pipeline.settings import Settings, load_settings


class LiveSettings:
    """Settings that follow their file while a process runs."""

    def __init__(self, settings: Settings) -> None:
        self.now = settings
        self._seen = _signature(settings.file)

    def refresh(self) -> bool:
        """Reads the file again if it differs from the last look; True when `now` is new.

        Raises:
            SettingsError: it can't be read, said once for each change of the file; `now` stays.
        """
        found = _signature(self.now.file)
        if found == self._seen or found is None:
            return False
        self._seen = found
        before, self.now = self.now, load_settings(self.now.file)
        return self.now != before


def _signature(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:  # an editor is just putting it there
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
