import pytest

from flows.builder import CITED_ANSWER, build_all, build_rag_chat
from flows.drawing import to_text
from flows.files import SHIPPED
from flows.registry import Registry

pytestmark = pytest.mark.slow


def test_two_builds_are_the_same_bytes(registry: Registry) -> None:
    once, again = build_all(registry), build_all(registry)
    assert {name: to_text(flow) for name, flow in once.items()} == {name: to_text(flow) for name, flow in again.items()}


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
