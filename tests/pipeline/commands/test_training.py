import json
import re
from pathlib import Path

from click.testing import CliRunner, Result

from pipeline.commands.main import main
from pipeline.settings import load_settings
from pipeline.site import Site
from tests.openai_server import BASE, KEY, openai_server
from tests.pipeline.training.conftest import base, site, small  # noqa: F401


def sitetwin(site, *arguments: str, status: int = 0) -> Result:
    done = CliRunner().invoke(main, ["--config", str(site.file), *arguments])
    assert done.exit_code == status, done.output
    return done


def test_train_then_promote_then_roll_back(site, small):
    file = site.root / "old.yaml"
    file.write_text("alpha: 8\nrank: 4\nlayer_keys: [q_proj, v_proj]\niterations: 6\nlearning_rate: 2e-2\n", "utf-8")
    assert "no runs yet" in sitetwin(site, "runs").stdout
    trained = sitetwin(site, "train", "--config", str(file), "--set", "steps_per_eval=3")
    assert "alpha: now lora_parameters.scale, alpha / rank = 2" in trained.stderr
    assert "iteration 6 of 6: validation loss" in trained.stderr
    assert "next: `sitetwin promote best-1`" in trained.stdout
    assert "best-1 answers from now on" in sitetwin(site, "promote", "best-1").stdout
    listed = json.loads(sitetwin(site, "runs", "--json").stdout)
    assert listed["promoted"] == "best-1"
    assert [run["state"] for run in listed["runs"]] == ["done"]
    assert listed["runs"][0]["config"]["lora_parameters"]["keys"] == ["self_attn.q_proj", "self_attn.v_proj"]
    assert "best-1: done" in sitetwin(site, "runs").stdout
    assert json.loads(sitetwin(site, "rollback", "--json").stdout) == {"promoted": None}


def test_preferences_on_top_of_a_run(site):
    values = [f"--set={value}" for value in ("iters=3", "steps_per_eval=3", "learning_rate=2e-2")]
    sitetwin(site, "train", *values)
    trained = sitetwin(site, "train", "--preference", "dpo", "--from", "best-1", *values)
    assert "iteration 3 of 3: validation loss" in trained.stderr
    assert "% of the better answers preferred" in trained.stderr
    assert "dpo-1 answers from now on" in sitetwin(site, "promote", "dpo-1").stdout
    assert "dpo-1: done" in sitetwin(site, "runs").stdout
    assert "promoted, by dpo" in sitetwin(site, "runs").stdout
    assert "adapter_model.safetensors" in str(list(exported(site, "dpo-1").iterdir()))
    assert "leave --preference" in sitetwin(site, "train", "--phases", "--preference", "orpo", status=2).stderr


def test_golden_questions_are_asked_while_it_trains(site):
    values = [f"--set={value}" for value in ("iters=4", "steps_per_eval=2", "learning_rate=2e-2", "golden_questions=5")]
    assert "`sitetwin golden draft` makes" in sitetwin(site, "train", *values, status=1).stderr
    (site.root / "notes").mkdir()
    (site.root / "notes" / "saw.md").write_text("# Saw\n\nI own a band saw, an Inca.\n", encoding="utf-8")
    question = {"question": "Which band saw do I own?", "kind": "fact", "fact": ["Inca"], "page": ["saw"]}
    (site.root / "golden.jsonl").write_text(json.dumps(question) + "\n", encoding="utf-8")
    with site.file.open("a", encoding="utf-8") as file:
        file.write('[retrieval]\nmode = "keyword"\n[[content]]\npath = "notes"\nvisibility = "public"\n')
    site = load_settings(site.file)
    with Site(site).index() as index:
        index.sync()
    trained = sitetwin(site, "train", *values)
    assert re.search(r"iteration 4 of 4: validation loss [\d.]+, \d+% of the golden questions right", trained.stderr)
    run = json.loads(sitetwin(site, "runs", "--json").stdout)["runs"][0]
    assert [point["answered"] is None for point in run["curves"]["valid"]] == [False] * 3
    assert "in a single run" in sitetwin(site, "train", "--seeds", "2", *values, status=1).stderr


def test_a_sweep_over_seeds(site):
    values = [f"--set={value}" for value in ("iters=2", "steps_per_eval=2", "learning_rate=2e-2")]
    done = sitetwin(site, "train", "--seeds", "2", *values)
    assert "rank 16: validation loss" in done.stdout
    assert "over 2 seeds, 95 % interval" in done.stdout
    assert (site.state / "reports" / "sweep-1.html").is_file()
    assert "no sweep was interrupted" in sitetwin(site, "train", "--seeds", "2", "--resume", status=1).stderr
    assert "write whole numbers" in sitetwin(site, "train", "--ranks", "4,x", status=2).stderr
    assert "leave --phases" in sitetwin(site, "train", "--ranks", "4", "--name", "mine", status=2).stderr


def exported(site, run: str) -> Path:
    return Path(json.loads(sitetwin(site, "export", run, "--to", "peft", "--json").stdout)["folder"])


def test_openai_trains_and_the_cost_is_asked_for(site):
    with openai_server() as (url, state):
        with site.file.open("a", encoding="utf-8") as file:
            file.write(f'[openai]\nurl = "{url}"\napi_key = "{KEY}"\n')
        asked = sitetwin(site, "train", "--on", "openai", status=1)
        assert "set openai.price" in asked.stderr
        assert "nobody is here to be asked: say --yes" in asked.stderr
        assert not state.jobs
        # It fails at the first look, so nothing waits.
        state.fails = True
        state.before_answer = lambda method, path: state.jobs and state._advance("ftjob-1")
        failed = sitetwin(site, "train", "--on", "openai", "--yes", "--set", "epochs=1", status=1)
        assert "OpenAI could not train it (The job failed to validate)" in failed.stderr
        assert state.jobs["ftjob-1"]["hyperparameters"]["n_epochs"] == 1
    listed = sitetwin(site, "runs").stdout
    assert f"openai-1: failed; {BASE} at {url}, job failed" in listed
    assert "\n  OpenAI could not train it (The job failed to validate)" in listed
    assert "has no job under way" in sitetwin(site, "train", "--cancel", "openai-1", status=1).stderr
    wrong = sitetwin(site, "train", "--on", "openai", "--preference", "dpo", status=2)
    assert "trains answers alone" in wrong.stderr


def test_wrong_use_is_named(site):
    wrong = site.root / "wrong.yaml"
    wrong.write_text("batchsize: 2\n", encoding="utf-8")
    assert "did you mean 'batch_size'" in sitetwin(site, "train", "--config", str(wrong), status=1).stderr
    assert "no run was interrupted" in sitetwin(site, "train", "--resume", status=1).stderr
    assert "give it nothing but --name" in sitetwin(site, "train", "--resume", "--data-set", "1", status=2).stderr
