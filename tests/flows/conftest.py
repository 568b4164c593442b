import warnings
from collections.abc import Iterator

import pytest

from pipeline.settings import Settings
from tests.notes_site import indexed_site

with warnings.catch_warnings():
    # Langflow's dependencies warn while they are imported; that is theirs to mend.
    warnings.simplefilter("ignore")
    from flows.registry import Registry, load_registry


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with indexed_site(tmp_path_factory.mktemp("site")) as settings:
        yield settings


@pytest.fixture(scope="session")
def registry() -> Registry:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return load_registry()
