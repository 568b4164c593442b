import asyncio
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipeline.chat.refusing import NOT_IN_NOTES
from pipeline.content.chunking import chunk_document
from pipeline.content.documents import Document
from pipeline.dataset.plan import plan
from pipeline.dataset.records import Pair, PairSource, Task
from pipeline.dataset.teachers import load_teacher
from pipeline.dataset.teachers.extractive import ExtractiveTeacher
from pipeline.dataset.teachers.extractive.refusals import refusal_questions
from pipeline.dataset.teachers.extractive.text import Text, prose
from pipeline.dataset.teachers.extractive.topics import topic_of
from pipeline.settings import DatasetSettings, PairKind, Settings

ROOT = Path(__file__).parents[4]
LEANING = re.compile(r"\b(?:this|the) (?:text|passage|page|post|note|article|author)\b", re.IGNORECASE)


def source(text: str, title: str = "My workshop", heading: str = "", index: int = 0) -> PairSource:
    return PairSource(f"notes/a.md#{index}", "notes/a.md", index, title, heading, text, "public")


def write(kind: PairKind, text: str, count: int = 5, **named: str) -> dict[str, str]:
    """Answers by question."""
    return {pair.question: pair.answer for pair in pairs(Task(kind, count, (source(text, **named),)))}


def pairs(task: Task) -> list[Pair]:
    return asyncio.run(ExtractiveTeacher().write(task))


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("The Lathe 300 is a small machine for wood and soft metal.", "What is the Lathe 300?"),
        ("`cutlist` prints all boards that a drawing needs.", "What does `cutlist` print?"),
        (".NET 8 is a small runtime for servers.", "What is .NET 8?"),
        ("The new version of .NET supports Linux and macOS.", "What does the new version of .NET support?"),
        ("I use a Japanese saw for dovetails.", "what do you use for dovetails?"),
        ("I use a marking knife to cut clean lines.", "what do you use to cut clean lines?"),
        ("Last spring, I bought the Lathe 300 from a neighbour.", "Where did you buy the Lathe 300?"),
        ("I bought the Lathe 300 for only $40 back then.", "How much did you pay for the Lathe 300?"),
        ("I replaced the Lathe 300 because the belt of last year was gone.", "Why did you replace the Lathe 300?"),
        (
            "In 2019, I built the Bench 9 out of beech.",
            "When did you build the Bench 9?",
        ),
        ("I sharpened the Chisel Set 4 using a stone from Norton.", ""),
        ("I fixed the Lathe 300 by turning the belt around.", "How did you fix the Lathe 300?"),
        ("I've been using the Lathe 300 for three years.", "How long have you been using the Lathe 300?"),
        ("I've been working on a bench for my daughter.", "what have you been working on?"),
        ("The old bench is wobbly because the legs are too thin.", "why is the old bench wobbly?"),
    ],
)
def test_a_fact_is_asked_for_by_what_its_sentence_says(text, asked):
    questions = list(write("fact", text))
    assert [question for question in questions if asked and question.endswith(asked)] or not asked, questions
    assert all("“" not in question for question in questions)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("I love the smell of cedar.", "the smell of cedar"),
        ("I don't like my old router table.", "your old router table"),
        ("The Lathe 300 is awesome for bowls.", "the Lathe 300"),
        ("I think hand planes are better than sandpaper.", "hand planes"),
    ],
)
def test_an_opinion_is_asked_for_by_what_it_is_about(text, asked):
    known = "Some hand planes are cheap. I own hand planes."
    [(question, answer)] = write("voice", f"{text}\n\n{known}", count=1).items()
    assert re.search(rf"(?:think of|think about|feel about|opinion of) {asked}\?", question)
    assert answer == text


def test_the_authors_favourite_is_asked_of_the_reader_of_it():
    [(asked, answer)] = write("voice", "My favorite glue is hide glue, by far.").items()
    assert re.search(r"your workshop[:,] what is your favorite glue\?$", asked)
    assert answer == "My favorite glue is hide glue, by far."


def test_ways_become_how_do_i():
    text = "To keep your chisels sharp, strop them after every use. If you want to buy a stone, get a fine one first."
    found = {re.sub(r".*(?=how do I)", "", asked): answer for asked, answer in write("how-to", text).items()}
    assert found == {
        "how do I keep my chisels sharp?": "To keep your chisels sharp, strop them after every use.",
        "how do I buy a stone?": "If you want to buy a stone, get a fine one first.",
    }


def test_code_comes_with_the_sentence_that_leads_to_it():
    text = "If you need to print the list, run:\n\n```sh\ncutlist bench.svg | lpr\n```"
    [answer] = write("how-to", text).values()
    assert answer == text


def test_steps_are_one_answer_and_too_many_are_none():
    steps = "\n".join(f"{n}. Sand it with grit {n * 100} until it is even." for n in range(1, 4))
    [(asked, answer)] = write("how-to", steps, heading="Finish").items()
    assert (asked.endswith("what are the steps for Finish?"), answer) == (True, steps)
    assert write("how-to", steps.partition("\n")[2], heading="Finish") == {}, "the first step stands in another chunk"
    assert write("how-to", re.sub(r"^", "1", steps, flags=re.MULTILINE), heading="Finish") == {}, (
        "it begins with step 11"
    )
    many = "\n".join(f"{n}. Sand it once more, please." for n in range(1, 30))
    assert write("how-to", many, heading="Finish") == {}


def test_a_table_of_settings_gives_defaults_and_meanings():
    text = (
        "| key | default | meaning |\n| --- | --- | --- |\n| `saw.speed` | `3` | how fast the blade turns, in m/s |\n"
        "| `saw.name` | | |"
    )
    assert write("fact", text) == {
        "What is the default of `saw.speed`?": "`saw.speed` — `3` — how fast the blade turns, in m/s",
        "What does `saw.speed` mean?": "how fast the blade turns, in m/s",
    }


def test_a_synthesis_brings_the_first_sentences_together():
    one = source("A mallet drives the chisel without harm.", heading="Tools > Mallets")
    two = source("A marking knife leaves a line that a saw can follow.", heading="Tools > Knives", index=1)
    [pair] = pairs(Task("synthesis", 1, (one, two)))
    assert pair.question.endswith("what do you say about mallets and knives?")
    assert pair.answer == f"{one.text} {two.text}"
    assert pair.chunks == (one.chunk, two.chunk)


def test_a_refusal_asks_for_what_the_text_does_not_speak_of():
    texts = [f"I built bench {n} out of beech and it is still as flat as a table should be." for n in range(40)]
    asked = [found for text in texts for found in write("refusal", text, count=1).items()]
    assert 3 <= len(asked) <= 14
    assert {answer for _, answer in asked} == {NOT_IN_NOTES}
    assert len({question for question, _ in asked}) > 2
    assert all("your workshop" in question for question, _ in asked)
    spoken_of = " ".join(("friends", "talk", "hire", "hours", "podcast", "forum"))
    for text in texts:
        for question in write("refusal", f"{text} {spoken_of}", count=1):
            assert not re.search("|".join(spoken_of.split()), question)


@pytest.mark.parametrize(
    ("title", "text", "asked"),
    [
        (
            "Moved to Bergen!",
            "I moved to Bergen last month. The city has a nice harbour.",
            {"eat in Bergen", "weather like in Bergen", "flat in Bergen", "friends in Bergen", "see in Bergen"},
        ),
        (
            "Lathe 300",
            "The Lathe 300 is a machine with a display. I bought the Lathe 300 with buttons for gloves.",
            {
                "pay for the",
                "heavy is",
                "warranty of",
                "other colours",
                "repair",
                "loud is",
                "to a child",
                "successor of",
            },
        ),
        (
            "nginx 2",
            "To install nginx 2, I use the package of my server. The config of nginx 2 is one file.",
            {
                "start with",
                "Raspberry Pi",
                "on phones",
                "to learn nginx",
                "told you",
                "book about",
                "a company",
                "a good course",
            },
        ),
        (
            "Onion soup",
            "Fry the onions in butter, add salt and let the soup simmer in a pan.",
            {
                "calories does",
                "freeze",
                "wine goes",
                "in the fridge",
                "vegan version",
                "taught you to make",
                "children like",
            },
        ),
        (
            "nginx 2",
            "To install nginx 2, use the package of your server. Then nginx 2 answers.",
            {
                "Raspberry Pi",
                "on phones",
                "for a company",
                "good course",
                "people use",
                "maintains",
                "come out",
                "company is",
            },
        ),
        (
            "Template lookup",
            "The templates are looked for in the theme, then in the site.",
            {
                "video about",
                "book explains",
                "course on",
                "other people about",
                "beginners make",
                "came up with",
                "history of",
            },
        ),
    ],
)
def test_a_refusal_asks_what_people_ask_about_such_a_thing(title, text, asked):
    found = list(refusal_questions(topic_of(title, text), Text(source(text, title=title))))
    assert len(found) >= 5
    assert len([one for one in found if any(part in one for part in asked)]) >= 5, found


@pytest.mark.parametrize(
    ("title", "text", "about"),
    [
        ("Steam Deck is Neat", "I carry the Steam Deck. Then the Steam Deck rests.", "the Steam Deck"),
        ("Too Many Phones", "I own phones.", "phones"),
        ("My First iPhone", "It was white.", "your first iPhone"),
        ("New Year, New Server", "I set it up.", "your new server"),
        ("I don't understand Windows", "Why is Windows like that?", "Windows"),
        ("Switch 2 🎮", "Nintendo sells it.", "Switch 2"),
        ("Privacy and keys", "No key leaves.", "privacy and keys"),
        ("Expand a live ext4 filesystem", "Do it.", "expanding a live ext4 filesystem"),
        ("Home Server Updates", "It hums.", "your home server"),
        ("Buy wisely", "Do it.", "buying wisely"),
        ("2010s Decade in Review", "It was long.", "2010s decade in review"),
        ("How to Mend a Saw (Part One)", "Do it.", "mending a saw"),
        ("Key Mime Pi: a remote keyboard", "I built Key Mime Pi.", "Key Mime Pi"),
        ("Introduction", "It is a saw.", ""),
        ("Drop Commits With Git Rebase", "Use git.", "dropping commits with git rebase"),
        ("Rename A File Through Netrw", "It is short.", "renaming a file through netrw"),
        ("And back again.", "So it goes.", ""),
        ("It's purple now.", "So it goes.", ""),
        ("How good the search is", "So it goes.", ""),
        ("🎮", "", ""),
        ("", "", ""),
    ],
)
def test_a_title_becomes_what_a_visitor_calls_its_subject(title, text, about):
    assert topic_of(title, text) == about


@pytest.mark.parametrize(
    "text",
    [
        "This is why the Lathe 300 needs oil.",
        "It was the best saw of the whole shop.",
        "However, the Lathe 300 uses a belt.",
        "Let's keep things simple for now, shall we.",
        "> The Lathe 300 is a small machine, says its maker.",
        "Is the Lathe 300 a small machine for everybody?",
        "The Lathe 300 is shown in the picture above.",
        "A photo of the Lathe 300",
        "```\nThe Lathe 300 is a machine.\n```",
        "",
    ],
)
@pytest.mark.parametrize("kind", ["fact", "voice", "how-to"])
def test_what_cannot_stand_alone_gives_nothing(kind, text):
    assert write(kind, text) == {}


def test_a_sentence_that_leans_comes_with_the_one_before():
    text = "The Lathe 300 is a small machine. It runs on 12 volts. The saw waits."
    assert write("fact", text)["What is the Lathe 300?"] == "The Lathe 300 is a small machine. It runs on 12 volts."


def test_markdown_is_reduced_to_words():
    text = "![Me at work](me.png)The **Lathe 300**[^1] is a [small machine](https://example.org/x) that *never* runs `hot`."
    assert write("fact", text) == {"What is the Lathe 300?": "The Lathe 300 is a small machine that never runs `hot`."}


@pytest.mark.parametrize(
    "markdown",
    [
        "| broken",
        "- - -",
        "1.",
        "```",
        "# \n## ",
        "**",
        "[x](",
        "> > >",
        "\\",
        "a" * 5000,
        "🎮",
        "|a|\n|-|\n|",
        "`" * 7,
    ],
)
@pytest.mark.parametrize("kind", ["fact", "voice", "how-to", "synthesis"])
def test_odd_markdown_gives_nothing_and_does_no_harm(kind, markdown):
    assert pairs(Task(kind, 3, (source(markdown), source(markdown, index=1))[: 2 if kind == "synthesis" else 1])) == []


def test_other_languages_get_the_title_in_their_own_frame_and_no_english():
    text = "Die Drehbank ist eine kleine Maschine für Holz und nicht für Stahl. Ich habe sie von meinem Onkel und mag sie sehr."
    assert write("fact", text, title="Werkstatt", heading="Maschinen", count=1) == {
        "Was schreibst du in „Werkstatt“ über „Maschinen“?": "Die Drehbank ist eine kleine Maschine für Holz und nicht für Stahl."
    }
    assert all(write(kind, text, title="Werkstatt") == {} for kind in ("voice", "how-to", "refusal"))  # type: ignore[arg-type]
    assert write("fact", "Tämä on pieni kone puuta varten, eikä se ole kallis.") == {}


@pytest.mark.parametrize(
    "text",
    [
        "备份文件默认保存在工作目录下的备份文件夹中，保留三十天。之后会自动删除最旧的文件。",
        "バックアップは作業フォルダーの中に三十日間保存されます。その後は古いものから削除されます。",
        "बैकअप की फ़ाइलें तीस दिन तक इसी फ़ोल्डर में रखी जाती हैं।",
    ],
)
def test_full_stops_of_other_scripts_end_a_sentence(text):
    assert [answer for answer in write("fact", text, title="A 300").values() if text.startswith(answer)]


def test_another_process_writes_the_same():
    script = (
        "import asyncio; from pipeline.dataset.records import PairSource, Task; "
        "from pipeline.dataset.teachers.extractive import ExtractiveTeacher; "
        "source = PairSource('a#0', 'a', 0, 'My workshop', '', 'I use [Lathe](/x) and Lathe Server 9 in [Oslo](/y), near Bergen.', 'public'); "
        "print(asyncio.run(ExtractiveTeacher().write(Task('fact', 9, (source,)))))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", script], env={**os.environ, "PYTHONHASHSEED": seed}, cwd=ROOT, check=True,
            capture_output=True, text=True,
        ).stdout
        for seed in "12"
    }  # fmt: skip
    assert len(said) == 1
    assert "Lathe" in said.pop()


def test_a_chain_of_adverbs_takes_no_longer_than_a_sentence():
    started = time.perf_counter()
    write("voice", f"I {'really ' * 40}x love.")
    write("fact", f"I {'really ' * 40}x love.")
    assert time.perf_counter() - started < 5


def test_no_more_pairs_than_asked_for():
    text = " ".join(f"The Lathe {n}00 is a machine for wood." for n in range(1, 9))
    assert len(write("fact", text, count=3)) == 3


def test_it_is_the_teacher_that_stands_in_the_settings_at_first(tmp_path):
    assert load_teacher(Settings(root=tmp_path)).name == ExtractiveTeacher.name


@pytest.fixture(scope="module")
def guides() -> list[tuple[Task, Pair]]:
    """All pairs of the project's own guides."""
    documents = []
    for path in sorted((ROOT / "docs").glob("*.md")):
        _, front, body = path.read_text("utf-8").split("---\n", 2)
        title = re.search(r"^title: (.+)$", front, re.MULTILINE)
        assert title
        documents.append(Document(f"docs/{path.name}", path, title[1], f"/docs/{path.stem}", body.strip(), "public"))
    tasks = plan(documents, lambda document: chunk_document(document, 900), DatasetSettings())
    return [(task, pair) for task in tasks for pair in pairs(task)]


def test_the_guides_give_enough_to_train_on(guides):
    kinds = [pair.kind for _, pair in guides]
    assert len(kinds) > 350
    assert min(kinds.count(kind) for kind in ("fact", "how-to", "synthesis", "refusal")) >= 15
    assert 0.04 * len(kinds) < kinds.count("refusal") < 0.15 * len(kinds)


def test_a_title_is_quoted_in_few_questions(guides):
    quoted = [pair for task, pair in guides if f"“{task.sources[0].title}”" in pair.question]
    assert len(quoted) < 0.25 * len(guides)


def test_every_answer_is_in_the_text_word_for_word(guides):
    for task, pair in guides:
        if pair.kind == "refusal":
            assert pair.answer == NOT_IN_NOTES
            continue
        texts = "\n".join(source.text for source in task.sources)
        said = " ".join((prose(texts)[0], *(prose(line)[0] for line in texts.splitlines()), texts)).replace("\\|", "|")
        for part in re.split(r" — |\n+|(?<=[.!?:]) ", pair.answer):
            words = re.sub(r"^(?:- |\d+\. )", "", part).strip()
            assert words in said, pair


def test_every_question_stands_alone(guides):
    for _, pair in guides:
        assert pair.question[0].isupper()
        assert pair.question.endswith(("?", "."))
        assert not LEANING.search(re.sub(r"“[^”]*”|`[^`]*`", "", pair.question)), pair.question


def test_grades_are_honest_about_the_frame(guides):
    assert {pair.accuracy for _, pair in guides} <= {7, 8, 9, 10}
    assert all(
        pair.accuracy < 9 for _, pair in guides if re.search(r"[Ww]hat (?:do you say|can you tell)", pair.question)
    )


def test_the_same_text_gives_the_same_pairs(guides):
    for task in list(dict.fromkeys(task for task, _ in guides))[::9]:
        assert [pair for of, pair in guides if of == task] == pairs(task)
