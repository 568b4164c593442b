from tests.pipeline.training.exporting.conftest import adapter, home, tiny  # noqa: F401
