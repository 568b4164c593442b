from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flows.credentials import FILE_NAME, load_credentials
from pipeline.errors import ServiceError


def test_only_the_owner_can_read_them(tmp_path: Path) -> None:
    load_credentials(tmp_path / "langflow")
    assert (tmp_path / "langflow" / FILE_NAME).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "langflow").stat().st_mode & 0o077 == 0


def test_they_stay_the_same_and_differ_between_sites(tmp_path: Path) -> None:
    first = load_credentials(tmp_path / "a")
    assert load_credentials(tmp_path / "a") == first
    other = load_credentials(tmp_path / "b")
    assert {first.api_key, first.password}.isdisjoint({other.api_key, other.password})
    assert len(first.api_key) > 40


def test_all_who_come_at_once_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(load_credentials, [tmp_path / "langflow"] * 24))
    assert len({credentials.api_key for credentials in found}) == 1
    assert [path.name for path in (tmp_path / "langflow").iterdir()] == [FILE_NAME]


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text("{", encoding="utf-8")
    with pytest.raises(ServiceError, match=r"credentials\.json is broken: delete the folder"):
        load_credentials(tmp_path)
