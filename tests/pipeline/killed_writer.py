"""Run by test_files: writes one file and one folder over and over, each whole of one letter, until it is killed.

Argument: the folder to write in.
"""

import itertools
import sys
from pathlib import Path

from pipeline import files

SIZE = 300_000

if __name__ == "__main__":
    place = Path(sys.argv[1])
    for round, letter in enumerate(itertools.cycle("abc")):
        files.write_text(place / "file", letter * SIZE)
        with files.new_folder(place / f"folder-{round % 5}", replace=True) as folder:
            for name in "12":
                (folder / name).write_text(letter * SIZE)
        if round == 0:
            print("writing", flush=True)
