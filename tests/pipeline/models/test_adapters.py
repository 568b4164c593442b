import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from pipeline.errors import ModelError
from pipeline.models.adapters import (
    Card,
    adapters,
    answering_adapter,
    base_hash,
    find_adapter,
    promote,
    promoted,
    promotions,
    rollback,
    write_card,
)
from pipeline.settings import ModelSettings, Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(root=tmp_path, models=ModelSettings(chat=str(model(tmp_path / "model"))))


def model(folder: Path, first: float = 0.5) -> Path:
    folder.mkdir(exist_ok=True)
    values = np.full((64, 64), 0.5, np.float32)
    values[0, 0] = first
    save_file({"a.weight": values, "b.weight": values[:2].copy()}, folder / "model.safetensors")
    return folder


def adapter(settings: Settings, name: str, **card: object) -> Path:
    folder = settings.state / "adapters" / name
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text(json.dumps({"model": "mine"}))
    (folder / "adapters.safetensors").write_bytes(b"")
    values: dict[str, object] = {
        "base": settings.models.chat,
        "base_hash": base_hash(Path(settings.models.chat)),
        "visibility": "public",
    }
    write_card(folder, Card.model_validate(values | card))
    return folder


def test_nothing_yet(settings: Settings) -> None:
    assert adapters(settings) == []
    assert promoted(settings) is None
    with pytest.raises(ModelError, match="sitetwin train"):
        find_adapter(settings, "first")
    with pytest.raises(ModelError, match="nothing to roll back"):
        rollback(settings)


def test_an_adapter_is_what_its_card_says(settings: Settings) -> None:
    folder = adapter(settings, "first", visibility="private", dataset=3, run="r1")
    found = find_adapter(settings, "first")
    assert found == adapters(settings)[0]
    assert (found.name, found.folder, found.base, found.visibility) == (
        "first",
        folder,
        settings.models.chat,
        "private",
    )


def test_one_of_mlx_lms_own_is_private_and_for_any_base(settings: Settings) -> None:
    (adapter(settings, "theirs") / "sitetwin.json").unlink()
    found = find_adapter(settings, "theirs")
    assert (found.base, found.base_hash, found.visibility) == ("mine", "", "private")


@pytest.mark.parametrize("name", ["../model", "/etc", "", ".", "..", ".hidden", "a/b", "base", "promoted", "a" * 65])
def test_a_name_is_no_path(settings: Settings, name: str) -> None:
    adapter(settings, "first")
    with pytest.raises(ModelError, match="name one of first"):
        find_adapter(settings, name)


def test_a_broken_one_is_not_listed_and_says_why_when_named(settings: Settings) -> None:
    (adapter(settings, "empty") / "adapters.safetensors").unlink()
    (adapter(settings, "garbled") / "sitetwin.json").write_text('{"base":')
    adapter(settings, "whole")
    assert [found.name for found in adapters(settings)] == ["whole"]
    with pytest.raises(ModelError, match=r"has no adapters\.safetensors"):
        find_adapter(settings, "empty")
    with pytest.raises(ModelError, match="can't be read"):
        promote(settings, "garbled")


def test_promote_and_roll_back(settings: Settings) -> None:
    adapter(settings, "first")
    adapter(settings, "second")
    promote(settings, "first")
    promote(settings, "second")
    promote(settings, "second")
    assert [one.name for one in promotions(settings)] == ["first", "second"]
    back = rollback(settings)
    assert back is not None
    assert back == promoted(settings)
    assert back.name == "first"
    assert rollback(settings) is None
    assert promoted(settings) is None


def test_a_promoted_one_that_vanished_is_named_and_rolled_back_over(settings: Settings) -> None:
    for name in ("first", "second", "third"):
        adapter(settings, name)
        promote(settings, name)
    for name in ("second", "third"):
        folder = settings.state / "adapters" / name
        folder.rename(settings.root / name)
    with pytest.raises(ModelError, match="'third' is gone: run `sitetwin rollback`"):
        promoted(settings)
    back = rollback(settings)
    assert back is not None
    assert back.name == "first"


def test_one_for_another_base_is_not_promoted(settings: Settings) -> None:
    adapter(settings, "first")
    adapter(settings, "other", base="elsewhere", base_hash="0" * 64)
    promote(settings, "first")
    with pytest.raises(ModelError, match="'other' was trained on 'elsewhere'"):
        promote(settings, "other")
    kept = promoted(settings)
    assert kept is not None
    assert kept.name == "first"


def test_who_answers_is_named_or_promoted(settings: Settings) -> None:
    with pytest.raises(ModelError, match=r"run `sitetwin train`, then `sitetwin promote RUN`"):
        answering_adapter(settings, None, None)
    adapter(settings, "first")
    adapter(settings, "second", visibility="private")
    promote(settings, "first")
    assert answering_adapter(settings, None, None).name == "first"
    assert answering_adapter(settings, None, "public").name == "first"
    assert answering_adapter(settings, "second", None).name == "second"


def test_no_private_adapter_answers_a_visitor_or_is_named_to_one(settings: Settings) -> None:
    adapter(settings, "diary", visibility="private")
    promote(settings, "diary")
    with pytest.raises(ModelError, match="train one on public notes") as promoted_one:
        answering_adapter(settings, None, "public")
    adapter(settings, "open")
    with pytest.raises(ModelError, match="name one of open") as unknown:
        answering_adapter(settings, "other", "public")
    assert "diary" not in f"{promoted_one.value} {unknown.value}"
    with pytest.raises(ModelError) as named:
        answering_adapter(settings, "diary", "public")
    assert str(named.value) == str(unknown.value).replace("other", "diary")


def test_a_broken_state_names_the_way_out(settings: Settings) -> None:
    adapter(settings, "first")
    promote(settings, "first")
    (settings.state / "adapters" / "promoted.json").write_text("{")
    with pytest.raises(ModelError, match="remove it"):
        promoted(settings)


def test_the_hash_tells_weights_apart(tmp_path: Path) -> None:
    one = base_hash(model(tmp_path / "one"))
    assert base_hash(model(tmp_path / "copy")) == one
    assert base_hash(model(tmp_path / "tuned", first=0.6)) != one
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"no model\*\.safetensors"):
        base_hash(tmp_path / "empty")
    (tmp_path / "one" / "model.safetensors").write_bytes(b"\x00" * 20)
    with pytest.raises(ModelError, match="can't be read"):
        base_hash(tmp_path / "one")
