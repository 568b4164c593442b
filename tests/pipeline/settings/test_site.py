from pathlib import Path

import pytest

from pipeline.settings import Settings


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, True),
        ({"models": {"chat": "mlx-community/gemma-3-12b-it-4bit"}}, False),
        ({"engine": {"url": "http://127.0.0.1:11434/v1"}}, False),
        ({"chat": {"quote_first": False}}, False),
        ({"models": {"chat": "large"}, "chat": {"quote_first": True}}, True),
    ],
)
def test_only_the_demo_model_quotes_first_unless_told(
    tmp_path: Path, values: dict[str, object], expected: bool
) -> None:
    assert Settings(root=tmp_path, **values).quotes_first is expected  # type: ignore[arg-type]
