from pathlib import Path

import pytest

from pipeline.chat.records import Answer, Citation
from pipeline.errors import SitetwinError
from pipeline.evaluation.golden import GoldenQuestion, contains, is_page, judge, load, summarise

DATA = Path(__file__).resolve().parents[3] / "benchmarks" / "data"
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
    ],
)
def test_a_page_names_a_document(document, page):
    assert is_page(document, page)


@pytest.mark.parametrize(
    ("document", "page"), [("docs/rerun.md", "run.md"), ("2019/home-server-2/index.md", "2019/home-server")]
)
def test_a_page_is_whole_folders_and_names(document, page):
    assert not is_page(document, page)


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


@pytest.mark.parametrize(
    "line",
    [
        "{",
        '{"question": "a?"}',
        '{"question": "a?", "answerable": false, "fact": "x"}',
        '{"question": "a?", "facts": "x"}',
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
    [("docs_questions", 30, 15), ("docs_heldout", 30, 15), ("blog_questions", 15, 5), ("vault_questions", 10, 3)],
)
def test_the_questions_of_the_project_are_whole(name, answerable, unanswerable):
    questions = load(DATA / f"{name}.jsonl")
    assert sum(question.answerable for question in questions) == answerable
    assert sum(not question.answerable for question in questions) == unanswerable
    assert len({question.question for question in questions}) == len(questions)
