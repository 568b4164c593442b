from pathlib import Path

import pytest

from pipeline import jsonl
from pipeline.chat.records import Answer, Citation
from pipeline.errors import SitetwinError
from pipeline.evaluation.golden import KINDS, WHYS, GoldenQuestion, contains, is_page, judge, load, says, summarise

DATA = Path(__file__).resolve().parents[3] / "benchmarks" / "data"
BLOG = Path(__file__).resolve().parents[3] / ".." / "shared" / "data" / "astro-blog" / "content" / "blog"
PORT = GoldenQuestion(question="Which port?", fact=("8765",), page=("docs/first-run.md", "docs/index.md"))
PERU = GoldenQuestion(question="What is the capital of Peru?", answerable=False)


def answer(text: str, *documents: str, refused: bool = False) -> Answer:
    citations = [
        Citation(n=n, document=document, title="", url="", heading="", quote="")
        for n, document in enumerate(documents, 1)
    ]
    return Answer(question="", mode="rag", answer=text, citations=citations, refused=refused, model="test")


def test_an_answer_with_the_fact_and_the_page_is_right():
    verdict = judge(PORT, answer("It is at http://127.0.0.1:8765 [1].", "docs/first-run.md"))
    assert (verdict.fact, verdict.cited, verdict.refused, verdict.right) == (True, True, False, True)


def test_the_fact_without_the_page_is_not_right():
    verdict = judge(PORT, answer("Port 8765 [1].", "docs/mcp.md"))
    assert (verdict.fact, verdict.cited, verdict.right) == (True, False, False)


def test_the_page_without_the_fact_is_not_right():
    verdict = judge(PORT, answer("Port 80 [1].", "docs/mcp.md", "docs/index.md"))
    assert (verdict.fact, verdict.cited, verdict.right) == (False, True, False)


def test_a_refusal_is_right_only_where_there_is_no_answer():
    refusal = answer("That is not in these notes.", refused=True)
    assert judge(PERU, refusal).right
    assert not judge(PORT, refusal).right
    assert not judge(PERU, answer("Lima.")).right


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("Press **Ctrl-C** to stop", "ctrl-c"),
        ("the key `gateway.port`", "gateway.port"),
        ("a file\n  larger", "File larger"),
        ("Gemma 3 [1] 12B", "gemma 3 12b"),
        ("set max_bytes to _five_", "max_bytes to five"),
        ("after 15 minutes.", "15"),
        ("15, or 20", "15"),
        ("it’s his", "it's"),
    ],
)
def test_a_fact_is_found_whatever_its_dress(text, fact):
    assert contains(text, fact)


@pytest.mark.parametrize(("text", "fact"), [("150", "15"), ("1,500", "500"), ("15,000", "15"), ("0.4", "4"), ("", "a")])
def test_a_number_is_not_found_inside_another(text, fact):
    assert not contains(text, fact)


@pytest.mark.parametrize(
    ("document", "page"),
    [
        ("docs/first-run.md", "docs/first-run.md"),
        ("blog/2019/home-server/index.md", "2019/home-server"),
        ("vault/References/Kyoto.md", "Kyoto.md"),
        ("notes/v2.0/a.mdx", "v2.0/a"),
        ("notes/heat-pump.pdf", "heat-pump"),
        ("notes/heat-pump.pdf", "notes/heat-pump.pdf"),
        ("notes/v2.0.markdown", "v2.0"),
    ],
)
def test_a_page_names_a_document(document, page):
    assert is_page(document, page)


@pytest.mark.parametrize(
    ("document", "page"), [("docs/rerun.md", "run.md"), ("2019/home-server-2/index.md", "2019/home-server")]
)
def test_a_page_is_whole_folders_and_names(document, page):
    assert not is_page(document, page)


SPLITS = GoldenQuestion(
    question="Which splits?", facts=(("train",), ("valid", "validation"), ("test",)), page=("a.md",)
)


@pytest.mark.parametrize(
    ("text", "found", "right"),
    [("train, validation and test", 3, True), ("train and test", 2, False), ("none", 0, False)],
)
def test_an_answer_needs_every_fact(text, found, right):
    verdict = judge(SPLITS, answer(text, "a.md"))
    assert (verdict.found, verdict.fact, verdict.right) == (found, right, right)


def test_what_must_not_be_said_makes_an_answer_wrong():
    question = GoldenQuestion(question="How?", fact=("make up",), must_not=("docker",), page=("a.md",))
    assert judge(question, answer("Run make up.", "a.md")).right
    verdict = judge(question, answer("Run make up or docker run.", "a.md"))
    assert (verdict.fact, verdict.forbidden, verdict.right) == (True, True, False)


@pytest.mark.parametrize(
    ("text", "fact", "stale", "right"),
    [("8765", True, False, True), ("8080", False, True, False), ("8765, not 8080", True, True, False), ("", False, False, False)],
)  # fmt: skip
def test_a_changed_question_tells_the_new_fact_from_the_stale_one(text, fact, stale, right):
    question = GoldenQuestion(question="Which port?", kind="changed", fact=("8765",), stale=("8080",), page=("a.md",))
    verdict = judge(question, answer(text, "a.md"))
    assert (verdict.fact, verdict.stale, verdict.right) == (fact, stale, right)


def test_a_voice_question_has_no_fact_to_get_wrong_and_counts_in_no_share_of_facts():
    question = GoldenQuestion(question="How do you like it?", kind="voice", must_not=("as an AI",))
    verdict = judge(question, answer("A lot!"))
    assert (verdict.fact, verdict.right) == (False, True)
    assert not judge(question, answer("I like nothing, as an AI.")).right
    refusal = judge(question, answer("no", refused=True))
    assert not refusal.right
    shares = summarise([(question, verdict), (question, refusal)])
    assert (shares.answerable, shares.right, shares.refusal_precision) == (0, None, 0.0)


def test_a_false_premise_is_refused_or_corrected():
    question = GoldenQuestion(
        question="Why did you sell the boat?", kind="unanswerable", answerable=False, why="false_premise",
        facts=(("never owned",),), must_not=("I sold it because",),
    )  # fmt: skip
    assert judge(question, answer("no", refused=True)).right
    corrected = judge(question, answer("I never owned a boat."))
    assert corrected.right
    assert not judge(question, answer("I sold it because it sank, and I never owned it.")).right
    invented = judge(question, answer("It sank."))
    assert not invented.right
    assert summarise([(question, corrected), (question, invented)]).refusal_recall == 0.5


def test_a_contradiction_is_refused_or_both_sides_are_told():
    question = GoldenQuestion(
        question="Which?", kind="unanswerable", answerable=False, why="contradiction", facts=(("btrfs",), ("ZFS",))
    )
    assert judge(question, answer("One note says btrfs, another ZFS.")).right
    assert not judge(question, answer("ZFS.")).right


def test_shares():
    right = judge(PORT, answer("8765", "docs/index.md"))
    wrong = judge(PORT, answer("8765"))
    refused = judge(PORT, answer("no", refused=True))
    shares = summarise([(PORT, right), (PORT, wrong), (PORT, refused), (PERU, judge(PERU, answer("no", refused=True)))])
    assert (shares.answerable, shares.unanswerable) == (3, 1)
    assert shares.fact == pytest.approx(2 / 3)
    assert shares.right == pytest.approx(1 / 3)
    assert shares.refusal_precision == 0.5
    assert shares.refusal_recall == 1.0


def test_a_share_of_nothing_is_none():
    assert summarise([]).right is None


def test_load_reads_one_question_a_line(tmp_path):
    file = tmp_path / "questions.jsonl"
    file.write_text(
        '{"question": "a?", "fact": "x", "page": "a.md"}\n\n{"question": "b?", "answerable": false}\n', "utf-8"
    )
    first, second = load(file)
    assert (first.fact, first.page, second.answerable) == (("x",), ("a.md",), False)


def test_a_line_need_not_say_twice_that_it_is_unanswerable(tmp_path):
    file = tmp_path / "questions.jsonl"
    file.write_text(
        '{"question": "a?", "answerable": false}\n'
        '{"question": "b?", "kind": "unanswerable", "why": "outside", "page": "a.md"}\n'
        '{"question": "c?", "facts": ["x", ["y", "z"]], "page": "a.md", "kind": "synthesis"}\n',
        "utf-8",
    )
    before, short, synthesis = load(file)
    assert (before.kind, before.why) == ("unanswerable", None)
    assert (short.answerable, short.page) == (False, ("a.md",))
    assert synthesis.groups == (("x",), ("y", "z"))
    jsonl.write(file, [before, short, synthesis])
    assert load(file) == [before, short, synthesis]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        '{"question": "a?"}',
        '{"question": "a?", "answerable": false, "fact": "x"}',
        '{"question": "a?", "facts": "x"}',
        '{"question": "a?", "facts": [[]], "page": "a.md"}',
        '{"question": "a?", "facts": ["x", ["y", " "]], "page": "a.md"}',
        '{"question": "a?", "fact": "x", "page": "a.md", "kind": "unanswerable", "answerable": true}',
        '{"question": "a?", "kind": "voice", "answerable": false}',
        '{"question": "a?", "kind": "voice", "fact": "x", "page": "a.md"}',
        '{"question": "a?", "kind": "changed", "fact": "x", "page": "a.md"}',
        '{"question": "a?", "fact": "x", "page": "a.md", "stale": "y"}',
        '{"question": "a?", "fact": "x", "page": "a.md", "why": "outside"}',
        '{"question": "a?", "kind": "unanswerable", "why": "outside", "facts": "x"}',
        '{"question": "a?", "kind": "unanswerable", "why": "weather"}',
        '{"question": "a?", "fact": "", "page": "a.md"}',
        '{"question": "a?", "fact": ["x", "**"], "page": "a.md"}',
        '{"question": "a?", "fact": "x", "page": " "}',
        '{"question": " ", "answerable": false}',
    ],
)
def test_load_names_the_line_that_is_wrong(tmp_path, line):
    file = tmp_path / "questions.jsonl"
    file.write_text(f'{{"question": "b?", "answerable": false}}\n{line}\n', "utf-8")
    with pytest.raises(SitetwinError, match=r"questions\.jsonl:2: .*mend that line"):
        load(file)


def test_load_reads_a_file_of_another_program(tmp_path):
    file = tmp_path / "questions.jsonl"
    line = '{"question": "Which bicycle\u2028did I ride?", "fact": "Koga", "page": "notes/bike"}'
    file.write_bytes(f"\ufeff{line}\r\n\r\n{line}".encode())
    assert [question.question for question in load(file)] == ["Which bicycle\u2028did I ride?"] * 2


def test_load_says_that_there_is_no_file(tmp_path):
    with pytest.raises(SitetwinError, match="does not exist"):
        load(tmp_path / "none.jsonl")


@pytest.mark.parametrize(
    ("name", "answerable", "unanswerable"),
    [
        ("docs_questions", 30, 15),
        ("docs_heldout", 30, 15),
        ("blog_questions", 15, 5),
        ("vault_questions", 10, 3),
        ("settings_docs", 17, 0),
    ],
)
def test_the_questions_of_the_project_are_whole(name, answerable, unanswerable):
    questions = load(DATA / f"{name}.jsonl")
    assert sum(question.answerable for question in questions) == answerable
    assert sum(not question.answerable for question in questions) == unanswerable
    assert len({question.question for question in questions}) == len(questions)


@pytest.mark.parametrize(("name", "least"), [("golden_docs", 60), ("golden_blog", 40)])
def test_the_golden_sets_try_everything(name, least):
    questions = load(DATA / f"{name}.jsonl")
    unanswerable = [question for question in questions if not question.answerable]
    assert len({question.question for question in questions}) == len(questions) >= least
    assert 0.3 <= len(unanswerable) / len(questions) <= 0.36
    assert {question.kind for question in questions} == set(KINDS)
    assert {question.why for question in unanswerable} == set(WHYS)
    older = [*DATA.glob("*_questions.jsonl"), DATA / "docs_heldout.jsonl"]
    assert not {question.question for question in questions} & {old.question for file in older for old in load(file)}


@pytest.mark.skipif(not BLOG.is_dir(), reason="../shared/data/astro-blog is not there")
def test_every_fact_of_the_blogs_questions_stands_in_its_post():
    posts = {str(path.relative_to(BLOG)): path.read_text("utf-8") for path in BLOG.rglob("*.md")}
    for question in load(DATA / "golden_blog.jsonl"):
        named = [[text for post, text in posts.items() if is_page(post, page)] for page in question.page]
        assert all(len(found) == 1 for found in named), question.question
        for fact in question.groups:
            assert any(says(text, fact) for (text,) in named), f"{fact}: {question.question}"
