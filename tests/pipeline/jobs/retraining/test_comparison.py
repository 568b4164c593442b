"""By which measures a new adapter is judged."""

from pathlib import Path

import pytest

from pipeline.errors import SettingsError
from pipeline.jobs.retraining.comparison import named_measures
from pipeline.settings import RetrainSettings, Settings


def test_a_measure_that_there_is_not_is_named_with_those_there_are(tmp_path: Path) -> None:
    settings = Settings(root=tmp_path, retrain=RetrainSettings(not_worse=["accuracy", "voice"]))
    assert [one.title for one in named_measures(settings)] == ["Accuracy", "Voice"]
    for name in ("acuracy", "total_ms"):
        settings.retrain = RetrainSettings(not_worse=[name])
        with pytest.raises(SettingsError, match=f"no measure '{name}': name some of accuracy, completeness"):
            named_measures(settings)
