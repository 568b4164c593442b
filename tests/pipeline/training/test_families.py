"""Models whose templates differ are trained, and what they have learnt is what they say."""

import mlx_lm
import pytest
from mlx_lm.utils import load_tokenizer

from pipeline.adapters import find_adapter
from pipeline.chat.prompt import grounded_messages, lora_messages
from pipeline.dataset.versions import version_folder
from pipeline.errors import SitetwinError
from pipeline.index.passages import Passage
from pipeline.settings import PersonaSettings
from pipeline.training.config import configuration
from pipeline.training.data import read_rows
from pipeline.training.run import start
from pipeline.weights.chat_template import ChatTemplate
from tests.families import FAMILIES, make_model
from tests.pipeline.training.conftest import make_site
from tests.pipeline.training.test_run import Listener

PERSONA = PersonaSettings(name="Ada")
ENOUGH = {
    "iters": 60, "steps_per_eval": 30, "max_seq_length": 256, "learning_rate": 0.01,
    "lora_parameters": {"rank": 16, "dropout": 0.0},
}  # fmt: skip
PASSAGE = Passage(id="1", document="a.md", title="A", url="", heading="", text="It is 7.", score=1, visibility="public")


def say(model, tokenizer, messages):
    prompt = ChatTemplate(tokenizer).prompt(messages)
    return "".join(piece.text for piece in mlx_lm.stream_generate(model, tokenizer, prompt, max_tokens=40))


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_an_adapter_speaks_in_the_modes_that_use_it(family, tmp_path, small):
    make_model(tmp_path / "base", family)
    site = make_site(tmp_path, tmp_path / "base")
    run = start(site, Listener(), values={**small, **ENOUGH})
    assert run.curves.best.loss < 0.5 * run.curves.valid[0].loss
    folder = find_adapter(site, run.name).folder
    model, tokenizer = mlx_lm.load(str(tmp_path / "base"), adapter_path=str(folder))
    # A random model of two layers learns no sentence. It must not have learnt to end at once.
    assert say(model, tokenizer, lora_messages("What is 3?", [], PERSONA))
    assert say(model, tokenizer, grounded_messages("What is 3?", [PASSAGE], [], PERSONA, tuned=True))


@pytest.mark.parametrize("family", FAMILIES)
def test_all_of_an_answer_is_learnt_and_nothing_before_it(family, tmp_path):
    make_model(tmp_path / "base", family)
    site = make_site(tmp_path, tmp_path / "base")
    tokenizer = load_tokenizer(tmp_path / "base")
    row = read_rows(version_folder(site), "valid", tokenizer, configuration())[0]
    prompt = ChatTemplate(tokenizer).prompt(lora_messages("What is 15? Well? Well? Well?", [], PERSONA))
    assert row.tokens[: row.start] == prompt
    assert tokenizer.decode(row.tokens[row.start :]).strip().startswith("It is 105.")


def test_a_template_that_refuses_a_row_is_named(site, base):
    tokenizer = load_tokenizer(base)
    tokenizer.chat_template = "{{ raise_exception('no chats') }}"
    with pytest.raises(SitetwinError, match=r"refuses train row 1 \(no chats\): set \[models\] chat"):
        read_rows(version_folder(site), "train", tokenizer, configuration())
