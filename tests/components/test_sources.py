from components.sources import with_sources
from components.wire import pack, unpack
from pipeline.chat import Answer, Citation

SITE = "http://127.0.0.1:8765/"


def answer(*citations: Citation) -> Answer:
    return Answer(
        question="How long?",
        mode="rag",
        answer="Two hours [1].",
        citations=list(citations),
        refused=False,
        model="demo",
    )


def citation(n: int, url: str) -> Citation:
    return Citation(n=n, document="a.md", title="Bread [old]", url=url, heading="Rise", quote="Two hours.")


def test_a_source_links_to_the_site_or_to_its_own_host() -> None:
    text = with_sources(answer(citation(1, "/docs/a#rise"), citation(3, "https://example.org/a")), SITE)
    assert text.startswith("Two hours [1].\n\n**Sources**\n")
    assert "- [1] [Bread (old) › Rise](http://127.0.0.1:8765/docs/a#rise)" in text
    assert "- [3] [Bread (old) › Rise](https://example.org/a)" in text


def test_a_source_without_an_address_is_named_only() -> None:
    assert with_sources(answer(citation(2, "")), SITE).endswith("- [2] Bread (old) › Rise")


def test_an_answer_without_sources_stays_as_it_is() -> None:
    assert with_sources(answer(), SITE) == "Two hours [1]."


def test_the_record_travels_with_the_message() -> None:
    record = answer(citation(1, "/docs/a"))
    assert unpack({"graph_run_id": "x", **pack(record)}) == record


def test_another_nodes_message_has_no_record() -> None:
    assert unpack(None) is None
    assert unpack({"graph_run_id": "x"}) is None
    assert unpack({"sitetwin": {"text": "an older one"}}) is None
