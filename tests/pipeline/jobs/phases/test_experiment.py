import json
import signal
import subprocess
import sys
from pathlib import Path

import mlx.core as mx
import pytest
from click.testing import CliRunner
from PIL import Image

from pipeline.adapters import find_adapter
from pipeline.commands.main import main
from pipeline.errors import SettingsError, SitetwinError
from pipeline.jobs.evaluating import record
from pipeline.jobs.phases.experiment import PHASES, begin, evaluations, go_on
from pipeline.jobs.phases.report import write_phases_report
from pipeline.training import registry
from tests.pipeline.jobs.phases.conftest import VALUES
from tests.tiny_llama import with_other_weights

SYSTEMS = ["lora:base", *(f"lora:phases-1-{name}" for name in ("underfit", "best", "overfit", "overfit-last"))]


class Listener:
    def __init__(self) -> None:
        self.said: list[str] = []
        self.answers: dict[str, int] = {}
        self.run = None
        self.iteration = 0

    def say(self, text):
        self.said.append(text)

    def start(self, run):
        self.run = run

    def point(self, point):
        """The curves are looked at instead."""

    def step(self, iteration, loss):
        self.iteration = iteration

    def asked(self, asked, done, total):
        assert total == 3 * len(SYSTEMS)
        self.answers[asked] = done

    def seconds_for(self, iterations, every):
        return 60.0 * iterations


def test_three_runs_are_interrupted_gone_on_with_asked_and_reported(asked_site):
    screen = Listener()

    def stop() -> bool:
        return screen.run is not None and screen.run.preset == "best" and screen.iteration >= 7

    experiment = go_on(asked_site, screen, begin(asked_site, values=VALUES, asked=3), stop=stop)
    assert experiment.ended_at is None
    assert [run.state for run in registry.runs(asked_site)] == ["done", "stopped"]
    underfit = registry.find(asked_site, "phases-1-underfit")
    assert any("best and overfit take about 56 minutes" in text for text in screen.said)

    def asked_twice() -> bool:
        return "seen" in screen.answers

    experiment = go_on(asked_site, screen, PHASES.unfinished(asked_site), stop=asked_twice)
    assert experiment.ended_at is None
    assert PHASES.unfinished(asked_site).evaluations == {"held out": 1}

    again = Listener()
    experiment = go_on(asked_site, again, PHASES.unfinished(asked_site))
    assert again.answers == {"seen": 3 * len(SYSTEMS)}
    found = evaluations(asked_site, experiment)
    assert [list(made.systems) for made in found.values()] == [SYSTEMS, SYSTEMS]
    assert registry.find(asked_site, "phases-1-underfit").ended_at == underfit.ended_at
    with pytest.raises(SitetwinError, match="no phases were interrupted"):
        PHASES.unfinished(asked_site)

    runs = {run.preset: run for run in registry.runs(asked_site)}
    assert [run.iteration for run in runs.values()] == [3, 21, 35]
    assert {run.config.seed for run in runs.values()} == {0}
    assert len({run.curves.valid[0].loss for run in runs.values()}) == 1
    assert [(score.adapter, score.asked) for score in runs["overfit"].scores] == [
        (name, asked) for asked in ("held out", "seen") for name in ("phases-1-overfit", "phases-1-overfit-last")
    ]
    best, last = (
        mx.load(str(find_adapter(asked_site, name).folder / "adapters.safetensors"))
        for name in ("phases-1-overfit", "phases-1-overfit-last")
    )
    assert best.keys() == last.keys()
    heard = {name: [reply.answer.answer for reply in of.replies] for name, of in found["seen"].systems.items()}
    assert heard["lora:base"] != heard["lora:phases-1-overfit-last"]

    report = write_phases_report(asked_site, experiment)
    html = report.read_text(encoding="utf-8")
    assert html.count("data:image/png;base64,") == 1
    assert 'src="http' not in html
    assert all(system in html for system in SYSTEMS)
    assert all(f'href="eval-{made.number}.html"' in html for made in found.values())
    assert all(record.report_file(asked_site, made.number, ".html").is_file() for made in found.values())
    with Image.open(report.with_suffix(".png")) as chart:
        assert chart.size == (1080, 1080)
    assert "held out" in (registry.run_folder(asked_site, "phases-1-best") / "report.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_killed_phases_go_on_and_give_what_uninterrupted_runs_give(asked_site):
    module = Path(__file__).with_name("killed_phases.py")
    arguments = [str(asked_site.root), "8", json.dumps(VALUES)]
    killed = subprocess.run([sys.executable, str(module), *arguments], capture_output=True, text=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert [run.state for run in registry.runs(asked_site)] == ["done", "killed"]
    sets = [word for key, value in VALUES.items() for word in ("--set", f"{key}={json.dumps(value)}")]
    whole = CliRunner().invoke(main, ["--config", str(asked_site.file), "train", "--name", "whole", *sets])
    assert whole.exit_code == 0, whole.output
    done = CliRunner().invoke(main, ["--config", str(asked_site.file), "train", "--phases", "--resume", "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["state"] == "done"
    assert [list(made["systems"]) for made in told["evaluations"].values()] == [SYSTEMS, SYSTEMS]
    assert told["conclusion"]
    assert Path(told["report"]).is_file()
    run = registry.find(asked_site, "whole")
    assert told["runs"]["best"]["curves"]["valid"] == [point.model_dump() for point in run.curves.valid]


def test_what_tells_the_phases_apart_is_not_set_for_all(site):
    for values in ({"epochs": 1}, {"iters": 5}, {"lora_parameters": {"rank": 2}}):
        with pytest.raises(SettingsError, match="is what the phases differ in"):
            begin(site, values=values)
    with pytest.raises(SitetwinError, match="no phases were interrupted"):
        PHASES.unfinished(site)
    wrong = CliRunner().invoke(main, ["--config", str(site.file), "train", "--phases", "--name", "mine"])
    assert wrong.exit_code == 2
    assert "leave --preset and --name out" in wrong.stderr


def test_a_number_is_not_used_twice(site):
    assert begin(site, asked=0).number == 1
    registry.run_folder(site, "phases-4-best").mkdir(parents=True)
    registry.run_folder(site, "phases-of-mine").mkdir()
    assert begin(site, asked=0).number == 5


def test_other_weights_do_not_go_on(site, base, tmp_path):
    begin(site, asked=1)
    site.models.chat = str(with_other_weights(base, tmp_path / "other"))
    with pytest.raises(SitetwinError, match="begun on other weights"):
        PHASES.unfinished(site)
