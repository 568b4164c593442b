import pytest

from pipeline.chat.conversation import found_for, leans_on_history, understand
from pipeline.chat.records import Turn
from pipeline.index.passages import Passage
from pipeline.text.words import content_stems, stems_with_parts


def turns(*questions: str) -> list[Turn]:
    return [
        turn for q in questions for turn in (Turn(role="user", content=q), Turn(role="assistant", content="An answer."))
    ]


@pytest.mark.parametrize(
    "question",
    [
        "And what does it cost?",
        "And for how long?",
        "How often?",
        "why?",
        "Where?",
        "How do I stop it?",
        "what about macOS?",
        "and Cursor?",
        "The same for Cursor?",
        "And a whole folder?",
        "And their size?",
        "Tell me more",
        "explain that in more detail please",
        "Can I change that?",
        "Which one is better?",
        "Does the other one need more memory?",
        "How much memory does that need?",
        "When did he write it?",
        "Is there an example?",
        "So what does it cost?",
        "Oops, I meant the vectors process.",
        "I mean the gateway of the other machine",
        "I'm asking about its number in the settings",
    ],
)
def test_a_leaning_question_takes_the_last_one_along(question: str) -> None:
    query = understand(question, turns("How do I start the gateway?"), 4).subject
    assert query == f"How do I start the gateway? {question}"


@pytest.mark.parametrize(
    "question",
    [
        "Which port does the Langflow editor listen on?",
        "What is BM25?",
        "What is an epoch?",
        "Why do cats purr?",
        "Do I need a GPU?",
        "So what does LoRA stand for?",
        "Then how do I stop the engine?",
        "Thanks! Where are the logs?",
        "Is it possible to run without Langflow?",
        "Is there a way to change the port that the gateway listens on?",
        "Is there a command that checks my machine?",
        "How do I make it answer from my own notes instead of these guides?",
        "Who wrote this blog?",
        "I meant to ask where the logs are",
        "What did I mean by a quiet web?",
        "wireguard port",
    ],
)
def test_a_new_topic_drags_nothing_along(question: str) -> None:
    assert understand(question, turns("How do I start the gateway?"), 4).subject == question


def test_a_chain_goes_back_to_the_question_that_stood_alone() -> None:
    history = turns("Which port does the Langflow editor listen on?", "can I change it?")
    assert understand("and why?", history, 4).subject == "Which port does the Langflow editor listen on? and why?"


def test_a_chain_ends_at_the_last_new_topic() -> None:
    history = turns("How do I start the gateway?", "and how do I stop it?", "What is BM25?")
    assert understand("is it fast?", history, 4).subject == "What is BM25? is it fast?"


def test_a_leaning_question_without_history_stays() -> None:
    assert understand("why?", [], 4).subject == "why?"


def test_what_is_meant_hangs_on_the_turns_that_the_model_sees() -> None:
    history = turns("Which port does the gateway listen on?", "Who wrote it?", "How many notes are there?")
    asked = understand("and why?", history, 1)
    assert asked.history == tuple(history[-2:])
    assert asked.subject == "How many notes are there? and why?"
    alone = understand("and why?", history, 0)
    assert (alone.history, alone.subject, alone.question) == ((), "and why?", "and why?")


NOTES = {
    "cat": "Our cat is called Minka and is eleven years old.",
    "boiler": "The boiler was replaced in 2019 by Weber and Sons.",
    "gateway": "On macOS the gateway starts with make up.",
}


def find(subject: str) -> list[Passage]:
    """The notes that share words with `subject`, best first."""
    wanted = set(content_stems(subject))
    shared = {name: len(wanted & stems_with_parts(text)) for name, text in NOTES.items()}
    return [
        Passage(id=name, document=name, title=name, url="", heading="", text=NOTES[name], score=1, visibility="public")
        for name in sorted(NOTES, key=lambda name: -shared[name])
        if shared[name]
    ]


@pytest.mark.parametrize(
    ("earlier", "question", "subject"),
    [
        (["How old is the cat?"], "What about the boiler?", "What about the boiler?"),
        (["How old is the cat?"], "and the boiler?", "and the boiler?"),
        (["How old is the cat?", "What about the boiler?"], "Who did it?", "What about the boiler? Who did it?"),
        (["How do I start the gateway?"], "What about macOS?", "How do I start the gateway? What about macOS?"),
        (["How old is the cat?"], "What is she called?", "How old is the cat? What is she called?"),
        (["How old is the cat?"], "and the zeppelin?", "How old is the cat? and the zeppelin?"),
        (["How old is the cat?"], "Who replaced the boiler?", "Who replaced the boiler?"),
    ],
)
def test_the_notes_tell_where_the_subject_changes(earlier: list[str], question: str, subject: str) -> None:
    assert understand(question, turns(*earlier), 4, find).subject == subject


def test_of_one_reading_nothing_is_searched() -> None:
    def never(subject: str) -> list[Passage]:
        raise AssertionError(subject)

    assert understand("What is BM25?", turns("How old is the cat?"), 4, never).subject == "What is BM25?"


@pytest.mark.parametrize(
    ("question", "leans"),
    [
        ("Wie alt ist sie?", True),
        ("Und der Hund?", True),
        ("Was ist mit dem Heizkessel?", True),
        ("Warum?", True),
        ("Wie alt ist die Katze?", False),
        ("Haben Sie einen Hund?", False),
        ("Wie viele Äpfel gibt es im Garten?", False),
        ("Quel âge a-t-il ?", False),
        ("Combien coûte celui-ci ?", True),
        ("Et le chien ?", True),
        ("Où est la clé du chalet ?", False),
        ("¿Cuánto cuesta eso?", True),
        ("Сколько ей лет?", True),
        ("Сколько лет кошке?", False),
        ("它多少钱？", True),
        ("那狗呢？", True),
        ("备用钥匙在哪里？", False),
        ("それはいくらですか？", True),
        ("合鍵はどこにありますか？", False),
        ("그것은 얼마인가요?", True),
        ("여분 열쇠는 어디에 있나요?", False),
        ("उसका दाम कितना है?", True),
        ("अतिरिक्त चाबी कहाँ है?", False),
        ("كم سعر ذلك؟", True),
        ("ما اسم شبكة الضيوف؟", False),
        ("Thế còn con chó thì sao?", True),
        ("Lốp xe đạp cần áp suất bao nhiêu?", False),
        ("Hur gammal är katten egentligen idag?", False),
    ],
)
def test_follow_ups_in_other_languages(question: str, leans: bool) -> None:
    assert leans_on_history(question) == leans


def found(*scores: tuple[str, float]) -> list[Passage]:
    return [
        Passage(
            id=id, document=id, title="", url="", heading="", text="", score=score, visibility="public"
        )
        for id, score in scores
    ]  # fmt: skip


def test_a_turn_is_also_searched_for_behind_the_one_before_it() -> None:
    history = [Turn(role="user", content="How do I prune apple trees?"), Turn(role="assistant", content="In winter.")]
    asked = understand("Which tools are sold by the market?", history, 4, lambda query: [])
    assert asked.subject == "Which tools are sold by the market?"
    assert asked.joined == "How do I prune apple trees? Which tools are sold by the market?"
    lists = {asked.subject: found(("market", 1.0), ("tools", 0.4)), asked.joined: found(("tools", 0.8), ("trees", 0.6))}
    passages = found_for(asked, lists.__getitem__)
    assert [(passage.id, round(passage.score, 3)) for passage in passages] == [("tools", 0.6), ("market", 0.5)]


def test_a_first_question_and_a_new_subject_are_searched_for_alone() -> None:
    def speaks_of_the_boiler(query: str) -> list[Passage]:
        return [passage.model_copy(update={"text": "The boiler was replaced."}) for passage in found(("boiler", 1.0))]

    history = [Turn(role="user", content="How old is the cat?"), Turn(role="assistant", content="Eleven.")]
    changed = understand("What about the boiler?", history, 4, speaks_of_the_boiler)
    first = understand("How old is the cat?", [], 4, speaks_of_the_boiler)
    assert (changed.joined, first.joined) == ("", "")
    searched: list[str] = []
    for asked in (changed, first):
        found_for(asked, lambda query: searched.append(query) or [])  # type: ignore[func-returns-value]
    assert searched == ["What about the boiler?", "How old is the cat?"]
