from tests.pipeline.training.conftest import base, site, small  # noqa: F401
