import importlib
from pathlib import Path

import pytest
from lfx.custom.custom_component.component import Component

import components
from components.configuration import configuration_input, settings_of
from components.sitetwin.reranker import RerankerComponent
from pipeline.errors import SettingsError

FILES = sorted(Path(components.__file__).parent.joinpath("sitetwin").glob("*.py"))


@pytest.fixture
def two_sites(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("bread", "tea"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "sitetwin.toml").write_text(f'[site]\nname = "{name}"\n', encoding="utf-8")
    monkeypatch.setenv("SITETWIN_CONFIG", str(tmp_path / "bread" / "sitetwin.toml"))
    return tmp_path


@pytest.mark.parametrize(
    ("named", "site"), [("", "bread"), ("  ", "bread"), ("{}/tea", "tea"), ("{}/tea/sitetwin.toml", "tea")]
)
def test_a_node_works_for_the_site_that_it_names(two_sites: Path, named: str, site: str) -> None:
    named = named.format(two_sites)
    assert settings_of(RerankerComponent().set(site=named)).site.name == site
    assert settings_of({"site": {"value": named}}).site.name == site


def test_a_file_that_is_not_there_is_named(two_sites: Path) -> None:
    with pytest.raises(SettingsError, match=r"oolong\.toml does not exist"):
        settings_of(RerankerComponent().set(site=str(two_sites / "oolong.toml")))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_component_has_the_field_and_no_agent_fills_it_in(file: Path) -> None:
    module = importlib.import_module(f"components.sitetwin.{file.stem}")
    (made,) = [
        one
        for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, Component) and one.__module__ == module.__name__
    ]
    (field,) = [field for field in made.inputs if field.name == "site"]
    assert field.model_dump() == configuration_input().model_dump()
    assert field.advanced
    # Langflow drops the text of such a field.
    assert not [other.name for other in made.inputs if "config" in other.name or "kwargs" in other.name]
    assert not getattr(field, "tool_mode", False)
