import pytest

from flows.pushing import fetch
from pipeline.errors import ServiceError


def test_the_editor_that_does_not_run_is_to_be_started(registry: object) -> None:
    nowhere = "http://127.0.0.1:1"
    with pytest.raises(ServiceError, match=f"^no Langflow answers at {nowhere}: run `sitetwin up`$"):
        fetch("4f0f3f4e-7a6f-4f4c-9d0c-0f8f6f9f2a11", nowhere, "sk-none")
