from collections.abc import Callable

import pytest

from flows.builder import (
    CITED_ANSWER,
    Flow,
    build_all,
    build_hybrid_chat,
    build_lora_chat,
    build_rag_chat,
    build_teach,
    to_text,
)
from flows.files import SHIPPED
from flows.registry import Registry

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("build", [build_rag_chat, build_lora_chat, build_hybrid_chat, build_teach])
def test_two_builds_are_the_same_bytes(build: Callable[[Registry], Flow], registry: Registry) -> None:
    assert to_text(build(registry)) == to_text(build(registry))


def test_the_shipped_files_are_what_the_components_make(registry: Registry) -> None:
    for name, flow in build_all(registry).items():
        assert (SHIPPED / f"{name}.json").read_text(encoding="utf-8") == to_text(flow), "run `sitetwin flows build`"


def test_building_leaves_the_templates_alone(registry: Registry) -> None:
    before = str(registry[CITED_ANSWER])
    build_rag_chat(registry)
    assert str(registry[CITED_ANSWER]) == before


def test_a_component_that_is_gone_is_named(registry: Registry) -> None:
    without = {kind: template for kind, template in registry.items() if kind != CITED_ANSWER}
    with pytest.raises(ValueError, match="does not know the component ext:site_twin:CitedAnswerComponent"):
        build_rag_chat(without)
