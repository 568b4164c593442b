from pathlib import Path

import pytest

from pipeline.content.documents import Document
from pipeline.content.title_questions import question, questions


@pytest.mark.parametrize(
    ("title", "asked"),
    [
        ("Why Rust?", "Why Rust?"),
        ("Should I use RAG or LoRA", "Should I use RAG or LoRA?"),
        ("How do adapters work", "How do adapters work?"),
        ("How to bake your bread", "How do I bake my bread?"),
        ("How search works", "How does search work?"),
        ("How adapters work", "How do adapters work?"),
        ("What sitetwin is", "What is sitetwin?"),
        ("Embedding the chat", "How do I embed the chat?"),
        ("Reading a loss curve", "How do I read a loss curve?"),
        ("Writing a test.", "How do I write a test?"),
        ("Adding dark mode to your site", "How do I add dark mode to my site?"),
        ("Exploring Lisbon", "What should I know about exploring Lisbon?"),
        ("Connect Claude", "How do I connect Claude?"),
        ("RAG or LoRA", "Should I use RAG or LoRA?"),
        ("Your own site", "What should I know about my own site?"),
        ("The teacher", "What is the teacher?"),
        ("Langflow", "What is Langflow?"),
        ("The Machine Stops", "What does “The Machine Stops” say?"),
        ("YABS", "What is YABS?"),
        ("Switch 2 🎮", "What does “Switch 2 🎮” say?"),
        ("When an answer is wrong", "What does “When an answer is wrong” say?"),
    ],
)
def test_a_title_becomes_the_question_that_its_page_answers(title, asked):
    assert question(title) == asked


def test_a_word_that_the_text_writes_small_is_no_name():
    assert question("Models", "Larger models need memory.") == "What are models?"
    assert question("Astro", 'Write `astro` or kind = "src/astro.md".') == "What is Astro?"


@pytest.mark.parametrize(
    "title", ["", "  ", "2023-09-30", "A very long title that goes on and on until nobody wants to read it on a button"]
)
def test_an_empty_or_endless_title_makes_none(title):
    assert question(title) == ""


def test_titles_that_can_only_be_quoted_come_last_and_none_twice():
    titles = ["Got it back", "The teacher", "", "Langflow", "The teacher"]
    documents = [Document(str(n), Path(), title, "", "", "public") for n, title in enumerate(titles)]
    assert questions(documents) == ["What is the teacher?", "What is Langflow?", "What does “Got it back” say?"]


@pytest.mark.parametrize(
    ("title", "text", "made"),
    [
        ("Der Garten im Winter", "Im Winter ist der Garten leer, und wir schneiden die Bäume.", "Was schreibst du in „Der Garten im Winter“?"),
        ("备份", "备份保留九十天。", "《备份》讲了什么？"),
        ("备份在哪里？", "", "备份在哪里？"),
        ("Trädgården", "Trädgården är tom på vintern, och vi beskär träden i februari.", "Trädgården?"),
    ],
)  # fmt: skip
def test_in_another_language_a_title_is_quoted(title: str, text: str, made: str) -> None:
    assert question(title, text) == made
