from pathlib import Path

from pipeline.processes import engine
from pipeline.settings import EngineSettings, ModelSettings, Settings


def test_another_server_knows_an_adapter_as_a_model(tmp_path: Path) -> None:
    url = "http://127.0.0.1:9/v1"
    settings = Settings(root=tmp_path, engine=EngineSettings(url=url), models=ModelSettings(chat="gemma3:12b"))
    plain, tuned = engine.connect(settings), engine.connect(settings, "mine")
    assert (plain.base_url, plain.model, plain.adapter) == (url, "gemma3:12b", None)
    assert (tuned.base_url, tuned.model, tuned.adapter) == (url, "mine", None)
