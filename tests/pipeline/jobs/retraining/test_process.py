import os
import subprocess
import sys
from pathlib import Path

from pipeline.jobs.retraining.process import stay_awake


def test_a_mac_is_kept_awake_for_as_long_as_this_process_lives(tmp_path: Path) -> None:
    """By a program of caffeinate's command line, which only a Mac has."""
    program = tmp_path / "caffeinate"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nopen({str(tmp_path / 'said')!r}, 'w').write(' '.join(sys.argv[1:]))\n"
    )
    program.chmod(0o755)
    started = stay_awake("darwin", str(program))
    assert isinstance(started, subprocess.Popen)
    assert started.wait(timeout=60) == 0
    assert (tmp_path / "said").read_text() == f"-i -w {os.getpid()}"
    assert stay_awake("linux", str(program)) is None
