import subprocess
import sys
from pathlib import Path

from pipeline.models.demo import embedding_model
from pipeline.models.embedder import load_embedder
from pipeline.settings import ModelSettings, Settings


def test_one_embedder_per_process(tmp_path: Path) -> None:
    embedder = load_embedder(Settings(root=Path.cwd()))
    assert load_embedder(Settings(root=tmp_path)) is embedder
    assert load_embedder(Settings(root=tmp_path, models=ModelSettings(embedder=str(embedding_model())))) is embedder


def test_importing_costs_nothing() -> None:
    code = "import sys, pipeline.models.embedder\nprint(*{'onnx', 'onnxruntime', 'tokenizers', 'mlx.core'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == ""
