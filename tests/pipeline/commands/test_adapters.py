import json

from tests.pipeline.commands.test_exporting import sitetwin
from tests.pipeline.training.exporting.conftest import adapter, home, tiny  # noqa: F401


def test_an_adapter_from_elsewhere_is_listed_promoted_and_private(home, adapter, tmp_path):
    assert "no adapters yet: `sitetwin train`" in sitetwin(home, "adapters").stdout
    adapter("wide")
    folder = tmp_path / "elsewhere"
    sitetwin(home, "export", "wide", "--to", "peft", "--out", str(folder))
    said = sitetwin(home, "adapters", "import", str(folder)).stdout
    assert f"elsewhere is here, private, for {home.models.chat}" in said
    assert "`sitetwin promote elsewhere`" in said
    sitetwin(home, "promote", "elsewhere")
    rows = json.loads(sitetwin(home, "adapters", "--json").stdout)["adapters"]
    assert [(row["name"], row["visibility"], row["promoted"]) for row in rows] == [
        ("elsewhere", "private", True),
        ("wide", "public", False),
    ]
    again = sitetwin(home, "adapters", "import", str(folder), status=1)
    assert "there is an adapter or a run 'elsewhere' already" in again.stderr
