import shutil
import threading
from dataclasses import replace

import pytest

from pipeline.content import read_sources
from pipeline.errors import SitetwinError, StaleIndexError

FRUIT = "# Fruit\n\nAn apple tree needs a cold winter.\n"
LONG = " ".join(["It is kept dry and oiled."] * 30)
TOOLS = f"# Tools\n\nA chisel is sharpened on a wet stone. {LONG}\n\n## Saws\n\nA ripsaw cuts along the grain. {LONG}\n"


@pytest.fixture
def garden(site):
    site.write("fruit.md", FRUIT)
    site.write("tools.md", TOOLS)
    site.index.sync()
    site.embedder.seen.clear()
    return site


def test_a_first_sync_makes_everything_searchable(site):
    site.write("fruit.md", FRUIT)
    site.write("tools.md", TOOLS)
    report = site.index.sync()
    assert (report.added, report.unchanged, report.failed) == (2, 0, 0)
    assert report.chunks_embedded == len(site.embedder.seen) == len(site.stored("public")) > 1
    for retrieval in ("hybrid", "dense", "keyword"):
        assert site.found("Which saw cuts along the grain?", retrieval=retrieval)[0] == "tools.md"
    assert "added" in report.summary()


def test_what_did_not_change_is_not_embedded_again(garden):
    report = garden.index.sync()
    assert report.unchanged == 2
    assert garden.embedder.seen == []


def test_an_edit_embeds_only_the_chunk_that_changed(garden):
    garden.write("tools.md", TOOLS.replace("along the grain", "across a plank"))
    report = garden.index.sync()
    assert (report.changed, report.unchanged, report.chunks_deleted) == (1, 1, 1)
    assert len(garden.embedder.seen) == 1
    assert "across a plank" in garden.embedder.seen[0]
    assert garden.found("along the grain", retrieval="keyword") == []
    assert len(garden.stored("public")) == 3


def test_a_chunk_that_moves_keeps_its_vector(garden):
    garden.write(
        "tools.md",
        "# Tools\n\n## Planes\n\nA plane smooths a board. " + LONG + "\n\n" + TOOLS.removeprefix("# Tools\n\n"),
    )
    garden.index.sync()
    assert [text for text in garden.embedder.seen if "ripsaw" in text] == []
    assert garden.found("ripsaw", retrieval="dense")[0] == "tools.md"


def test_a_new_title_is_found_and_embedded(garden):
    garden.write("fruit.md", "---\ntitle: Orchard diary\n---\n" + FRUIT)
    garden.index.sync()
    assert garden.found("orchard diary", retrieval="keyword") == ["fruit.md"]
    assert garden.embedder.seen
    assert all("Orchard diary" in text for text in garden.embedder.seen)


def test_a_deleted_file_is_gone_from_everywhere(garden):
    (garden.notes / "tools.md").unlink()
    report = garden.index.sync()
    assert (report.removed, report.chunks_deleted) == (1, 2)
    for retrieval in ("hybrid", "dense", "keyword"):
        assert "tools.md" not in garden.found("ripsaw", retrieval=retrieval)
    assert len(garden.stored("public")) == 1
    assert [entry.id for entry in garden.index.documents()] == ["notes/fruit.md"]


def test_a_renamed_file_is_found_by_its_new_name_without_embedding(garden):
    (garden.notes / "tools.md").rename(garden.notes / "workshop.md")
    assert garden.index.sync().chunks_embedded == 0
    assert garden.found("ripsaw")[0] == "workshop.md"


def test_a_note_turned_private_leaves_the_public_side_and_comes_back(garden):
    garden.write("tools.md", "---\nprivate: true\n---\n" + TOOLS)
    garden.index.sync()
    assert "tools.md" not in garden.found("ripsaw", visibility="public")
    assert garden.found("ripsaw")[0] == "tools.md"
    assert {id.split("#")[0] for id in garden.stored("public")} == {"notes/fruit.md"}
    assert {id.split("#")[0] for id in garden.stored("private")} == {"notes/tools.md"}
    garden.write("tools.md", TOOLS)
    assert garden.index.sync().chunks_embedded == 0
    assert garden.found("ripsaw", visibility="public")[0] == "tools.md"
    assert garden.stored("private") == {}


def test_a_note_turned_private_is_hidden_before_chroma_hears_of_it(garden):
    garden.write("tools.md", "---\nprivate: true\n---\n" + TOOLS)
    working = garden.index._vectors

    class Unreachable:
        def create(self, generation):
            raise SitetwinError("Chroma is away")

    garden.index._vectors = Unreachable()
    with pytest.raises(SitetwinError, match="away"):
        garden.index.sync()
    garden.index._vectors = working
    assert any("notes/tools.md" in id for id in garden.stored("public"))
    for retrieval in ("hybrid", "dense", "keyword"):
        assert "tools.md" not in garden.found("ripsaw along the grain", retrieval=retrieval, visibility="public")
    assert garden.index.status()[0].pending == 1


def test_a_file_that_can_not_be_read_any_more_is_reported_and_not_found(garden):
    (garden.notes / "tools.md").write_bytes(b"---\ntitle: [broken\n---\n\xff\xfe\x00ripsaw")
    report = garden.index.sync()
    assert (report.failed, report.removed) == (1, 1)
    assert "tools.md" not in garden.found("ripsaw")
    counts, files = garden.index.status()
    assert (counts.indexed, counts.failed) == (1, 1)
    assert next(file.reason for file in files if file.state == "failed")


def test_a_folder_that_can_not_be_read_keeps_its_documents(garden):
    shutil.move(garden.notes, garden.notes.with_name("elsewhere"))
    report = garden.index.sync()
    assert (report.removed, report.failed) == (0, 1)
    assert garden.found("ripsaw")[0] == "tools.md"
    assert {file.state for file in garden.index.status()[1]} == {"failed", "indexed"}
    shutil.move(garden.notes.with_name("elsewhere"), garden.notes)
    garden.index.sync()
    assert {file.state for file in garden.index.status()[1]} == {"indexed"}


def test_lost_vectors_are_noticed_and_stored_again_without_embedding(garden):
    before = garden.stored("public")
    garden.forget_vectors()
    with pytest.raises(StaleIndexError, match="run `sitetwin index`"):
        garden.found("ripsaw")
    assert garden.index.sync().chunks_embedded == 0
    assert garden.stored("public") == before


def test_one_lost_and_one_foreign_vector_are_mended(garden):
    before = garden.stored("public")
    collection = garden.connect().get_collection("sitetwin-public-1", embedding_function=None)
    collection.delete(ids=list(before)[:2])
    collection.upsert(ids=["foreign"], embeddings=[[1.0] * 256])
    garden.index.sync()
    assert garden.stored("public") == before


def test_a_lost_database_is_made_again_over_old_vectors(garden):
    before = garden.stored("public")
    (garden.notes / "fruit.md").unlink()
    garden.index.close()
    shutil.rmtree(garden.settings.state)
    with garden.open() as index:
        index.sync()
    assert garden.stored("public") == {id: vector for id, vector in before.items() if "fruit" not in id}


def test_a_rebuild_embeds_everything_and_answers_meanwhile(garden):
    answers = []
    report = garden.index.sync(lambda done, total, unit: answers.append(garden.found("ripsaw")[0]), rebuild=True)
    assert report.chunks_embedded == 3
    assert set(answers) == {"tools.md"}
    assert garden.collections() == {"sitetwin-public-2", "sitetwin-private-2"}
    assert len(garden.stored("public", 2)) == 3
    assert garden.found("ripsaw", retrieval="dense")[0] == "tools.md"


def test_another_embedder_is_refused_until_a_rebuild(garden):
    other = type(garden.embedder)("other")
    with garden.open(other) as index:
        with pytest.raises(StaleIndexError, match=r"hashed-words.*other.*sitetwin index --rebuild"):
            index.search("ripsaw")
        with pytest.raises(StaleIndexError, match="--rebuild"):
            index.sync()
        assert index.search("ripsaw", retrieval="keyword").passages
        index.sync(rebuild=True)
        assert index.search("ripsaw").passages[0].document == "notes/tools.md"
        assert index.embedder_name() == "other"


def test_a_rebuild_that_was_ended_goes_on(garden):
    def stop(done, total, unit):
        if unit == "chunks":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        garden.index.sync(stop, rebuild=True)
    assert garden.found("ripsaw")[0] == "tools.md"
    garden.index.sync()
    assert garden.collections() == {"sitetwin-public-2", "sitetwin-private-2"}
    assert garden.index.status()[0].pending == 0


def test_other_chunk_sizes_cut_the_documents_again(garden):
    garden.write("long.md", "# Long\n\n" + "\n\n".join(f"Paragraph {n} " + "word " * 60 for n in range(5)))
    garden.index.sync()
    before = len(garden.stored("public"))
    garden.settings.index.chunk_chars = 400
    with garden.open() as index:
        assert index.sync().changed == 3
    assert len(garden.stored("public")) > before


def test_keyword_only_needs_neither_chroma_nor_embedder(site):
    site.write("tools.md", TOOLS)
    with site.open(mode="keyword") as index:
        index.sync()
        assert index.search("ripsaw").passages[0].document == "notes/tools.md"
        assert index.status()[0].pending == 0
    assert site.embedder.seen == []
    assert site.client is None or site.collections() == set()


def test_the_second_of_two_syncs_says_that_one_is_running(garden):
    inside, go_on = threading.Event(), threading.Event()

    def wait(done, total, unit):
        inside.set()
        go_on.wait(30)

    first = threading.Thread(target=garden.index.sync, args=(wait,))
    first.start()
    try:
        assert inside.wait(30)
        with garden.open() as second, pytest.raises(SitetwinError, match="running"):
            second.sync(wait_seconds=0)
    finally:
        go_on.set()
        first.join()
    assert garden.index.sync().unchanged == 2


def test_searches_in_many_threads_while_syncing(garden):
    problems, stop = [], threading.Event()

    def ask():
        try:
            while not stop.is_set():
                assert garden.found("apple tree in winter")[0] == "fruit.md"
        except Exception as problem:  # noqa: BLE001  reported by the test's thread
            problems.append(problem)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(8):
        garden.write("tools.md", f"{TOOLS}\n\nEdit {number}.\n")
        garden.index.sync()
    stop.set()
    for thread in threads:
        thread.join()
    assert problems == []


def test_a_new_date_alone_is_kept_without_embedding(garden):
    garden.index.close()
    reports = [
        replace(report, document=replace(report.document, digest="new")) for report in read_sources(garden.settings)
    ]
    garden.index._read = lambda: iter(reports)
    assert garden.index.sync().changed == 2
    assert garden.embedder.seen == []
    assert len(garden.stored("public")) == 3
