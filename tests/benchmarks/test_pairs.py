from benchmarks import pairs
from benchmarks.pairs import DATA, ReadPair, draw, shares
from pipeline import jsonl
from pipeline.dataset.records import Pair


def pair(number: int) -> Pair:
    return Pair(
        question=f"What is {number}?", answer="So.", kind="fact", source="a.md", chunk_index=0, chunks=("a.md#0",),
        accuracy=9, style=9,
    )  # fmt: skip


def test_a_draw_depends_on_the_seed_and_the_pairs_alone():
    found = [pair(number) for number in range(50)]
    assert draw(found, 10, 3) == draw(found[::-1], 10, 3)
    assert draw(found, 10, 3) != draw(found, 10, 4)
    assert len(draw(found, 99, 3)) == 50


def test_a_title_counts_where_it_stands_between_quotation_marks():
    asked = [pair(1), pair(2).model_copy(update={"question": "What do you say in “Two”?"})]
    assert pairs.titled(asked, {"a.md": "Two"}) == 0.5


def test_every_pair_of_the_blog_that_was_read_has_a_verdict_with_a_reason():
    read = jsonl.read(DATA / "pairs_blog.jsonl", ReadPair, "mend that line")
    assert len(read) == 100
    assert all(one.verdict and one.reason for one in read)
    found = shares(read)
    assert found["fine"] >= 90
    assert found.get("wrong", 0) <= 2
