import asyncio

import pytest

from pipeline.dataset.build import build
from pipeline.dataset.export import read_messages
from pipeline.dataset.paraphrasing import paraphrase
from pipeline.dataset.records import SPLITS, Pair
from pipeline.dataset.stats import describe
from pipeline.dataset.versions import read_card, read_rows, version_folder
from tests.pipeline.dataset.notes import cut, document, embed, site


@pytest.mark.parametrize(
    ("question", "others"),
    [
        ("Why did you move to Utah?", {"What made you move to Utah?"}),
        ("How do I connect Claude?", {"How can I connect Claude?", "What do I have to do to connect Claude?"}),
        (
            "Speaking of mice, what do you like about the form factor?",
            {
                "Speaking of mice, what is good about the form factor?",
                "Speaking of mice, what do you enjoy about the form factor?",
            },
        ),
        ("What is the default of `index.db`?", {"Which value does `index.db` have by default?"}),
        ("What is sourdough?", {"Can you explain what sourdough is?", "Could you tell me what sourdough is?"}),
    ],
)
def test_the_other_words_ask_the_same(question, others):
    assert paraphrase(question) in others
    assert paraphrase(question) == paraphrase(question)


@pytest.mark.parametrize("question", ["Where is Utah?", "Was ist Sauerteig?", "Tell me of Utah.", "", "?"])
def test_what_no_rule_knows_stays_alone(question):
    assert paraphrase(question) == ""


class Asks:
    name = "asks"

    async def write(self, task):
        source = task.sources[0]
        return [
            Pair(
                question=f"What can you tell me about {source.title}, {source.heading}?", answer=source.text[:60],
                kind=task.kind, source=source.document, chunk_index=source.index, chunks=(source.chunk,),
                accuracy=9, style=9,
            )
        ]  # fmt: skip


@pytest.mark.parametrize(("share", "least", "most"), [(0.0, 0, 0), (0.5, 3, 17), (1.0, 20, 20)])
def test_a_share_of_the_pairs_is_asked_twice_in_the_same_split(tmp_path, share, least, most):
    settings = site(tmp_path, kinds=["fact"], with_passages=0.0, paraphrases=share)
    documents = [document(number) for number in range(10)]
    asyncio.run(build(settings, documents, teacher=Asks(), judge=None, cut=cut, embed=embed))
    folder = version_folder(settings)
    rows, messages, card = read_rows(folder), read_messages(folder), read_card(folder)
    assert least <= card.paraphrases <= most
    assert sum(map(len, messages.values())) == len(rows) + card.paraphrases
    for split in SPLITS:
        answers = {row.pair.answer for row in rows if row.split == split}
        assert {row["messages"][-1]["content"] for row in messages[split]} == answers
    assert any("in other words" in line for line in describe(folder)) == bool(share)
