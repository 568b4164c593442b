import numpy as np
import pytest

from pipeline.answerability.evidence import (
    ASSUMED_BACKGROUND,
    CLOSE_BACKGROUND,
    Background,
    background,
    close_background,
    weigh,
)
from pipeline.index.passages import Passage
from pipeline.index.vocabulary import Vocabulary

EVERYWHERE = Vocabulary(100, {"sitetwin": 95, "gateway": 8, "port": 10, "8765": 5})


def passage(text: str, similarity: float | None = None) -> Passage:
    return Passage(
        id="a", document="a.md", title="Ports", url="", heading="", text=text, score=1.0, visibility="public",
        similarity=similarity,
    )  # fmt: skip


def test_a_word_of_every_chunk_covers_next_to_nothing() -> None:
    text = [passage("The gateway of sitetwin listens on port 8765.")]
    assert weigh("Who founded sitetwin?", text, EVERYWHERE).coverage < 0.05
    assert weigh("Which port has the gateway?", text, EVERYWHERE).coverage == 1


def test_one_passage_has_to_hold_the_words() -> None:
    apart = [passage("The gateway listens."), passage("A number is a sign.")]
    together = [passage("The gateway listens on a number.")]
    question = "Which number has the gateway?"
    assert weigh(question, apart, EVERYWHERE).coverage < 0.8
    assert weigh(question, together, EVERYWHERE).coverage == 1


def test_a_name_or_number_has_to_be_there() -> None:
    text = [passage("The gateway listens on port 8765.")]
    assert weigh("Is port 8765 the gateway's?", text, EVERYWHERE).named
    assert not weigh("Is port 9999 the gateway's?", text, EVERYWHERE).named
    assert not weigh("Does the gateway run on an iPhone?", text, EVERYWHERE).named


def test_the_owners_name_need_not_be_in_the_notes() -> None:
    text = [passage("My gateway listens on port 8765.")]
    question = "Which port does the gateway of Ada have?"
    alone = weigh(question, text, EVERYWHERE)
    known = weigh(question, text, EVERYWHERE, understood=("Ada Lovelace",))
    assert (alone.named, known.named) == (False, True)
    assert alone.coverage < known.coverage == 1


@pytest.mark.parametrize(
    ("question", "text", "fitting"),
    [
        ("How many people use the gateway?", "People use the gateway.", False),
        ("How many people use the gateway?", "Twelve people use the gateway.", True),
        ("Who wrote the gateway?", "The gateway was written in haste.", False),
        ("Who wrote the gateway?", "The gateway was written by Ada Lovelace.", True),
        ("When was the gateway written?", "The gateway was written in haste.", False),
        ("When was the gateway written?", "The gateway was written in 1843.", True),
        ("When was the gateway released?", "The gateway 2.0 is released.", False),
        ("When does the gateway stop?", "The gateway stops after 5 minutes.", True),
        ("How many gears does the gateway have?", "The gateway has gears. It was built in 1843 by two people.", False),
        ("How many gears does the gateway have?", "Gears: 3", True),
        ("How many square metres is the gateway?", "The gateway has 30 metres of square steel.", True),
        ("How much does the gateway cost?", "The gateway costs 30 hours of work.", False),
        ("How much does the gateway cost?", "The gateway is free.", True),
        ("What is the price of the gateway?", "The gateway was 30 €.", True),
        ("How much did the gateway cost?", "I spent $650 on the gateway.", True),
        ("How much did the gateway cost?", "The gateway (US$1.50 in all) listens.", True),
        ("In which year was the gateway built?", "The gateway was built a month before the other.", False),
        ("In which year was the gateway built?", "The gateway was built in 1843.", True),
        ("What helps people who lost the gateway?", "Restart the gateway.", True),
        ("Who can see the gateway?", "Visitors see the gateway.", True),
        ("Wer schrieb das Gateway?", "Das Gateway ist alt.", True),
    ],
)
def test_the_kind_of_thing_that_is_asked_for_is_near(question: str, text: str, fitting: bool) -> None:
    assert weigh(question, [passage(text)], EVERYWHERE).fitting is fitting


@pytest.mark.parametrize(("date", "is_met"), [("2021-06-22", True), ("2020-06-21", False), ("", False)])
def test_a_note_of_the_year_that_a_question_names_need_not_say_the_year(date: str, is_met: bool) -> None:
    note = passage("The gateway runs on a server of the port.").model_copy(update={"date": date})
    found = weigh("Which server of the port did the gateway run on in 2021?", [note], EVERYWHERE)
    assert (found.named, found.coverage == 1) == (is_met, is_met)


def test_what_is_like_the_whole_collection_is_not_prominent() -> None:
    text = [passage("The gateway listens.", similarity=0.6)]
    near = weigh("the gateway?", text, EVERYWHERE, Background(0.5, 0.1))
    far = weigh("the gateway?", text, EVERYWHERE, Background(0.1, 0.1))
    assert near.prominence == pytest.approx(1)
    assert far.prominence == pytest.approx(5)
    assert weigh("the gateway?", [passage("x")], EVERYWHERE, Background(0.1, 0.1)).prominence is None


def test_a_background_of_many_chunks_is_their_own_and_of_none_the_assumed_one() -> None:
    question = np.array([1.0, 0.0], np.float32)
    cosines = np.tile([0.2, 0.6], 5000)
    vectors = np.stack([cosines, np.sqrt(1 - cosines**2)], axis=1).astype(np.float32)
    mean, deviation = background(question, vectors)
    assert (mean, deviation) == (pytest.approx(0.4, abs=0.01), pytest.approx(0.2, abs=0.01))
    assert background(question, None) == ASSUMED_BACKGROUND
    assert ASSUMED_BACKGROUND.mean < background(question, vectors[:2]).mean < 0.2


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Welche Festplatte ist im Server?", "Der Server hat zwei Festplatten mit je vier Terabyte."),
        ("备用钥匙在哪里？", "备用钥匙放在蓝色花盆下面。"),
        ("Où est l'eau du jardin ?", "L'eau du jardin vient du puits."),
        ("मेहमानों के नेटवर्क का नाम क्या है?", "मेहमानों के नेटवर्क का नाम बगुला है।"),
        ("여분 열쇠는 어디에 있나요?", "별장의 여분 열쇠가 화분 밑에 있다."),
        ("أين يوجد المفتاح الاحتياطي؟", "المفتاح الاحتياطي للكوخ تحت أصيص الزهور."),
    ],
)
def test_words_of_any_language_are_weighed_as_english_ones(question: str, text: str) -> None:
    found = weigh(question, [passage(text)], Vocabulary(6, {}))
    assert found.coverage > 0.6
    assert found.named
    assert found.fitting


def test_question_words_of_an_unknown_language_do_not_speak_against_a_passage() -> None:
    notes = Vocabulary(6, {"reservnyckel": 1})
    question = "Var ligger egentligen den där reservnyckeln någonstans?"
    found = weigh(question, [passage("Reservnyckeln hänger i ladan.")], notes)
    assert found.coverage == 1


def test_another_embedders_cosines_are_measured_by_its_own_background() -> None:
    usual = Background(0.79, 0.04)
    question = np.array([1.0, 0.0])
    close = np.array([[0.77, 0.638], [0.78, 0.626], [0.79, 0.613]])
    found = background(question, close, usual)
    assert found.mean == pytest.approx((3 * 0.78 + 10 * 0.79) / 13)
    assert found.deviation == 0.04  # what lies closer together than usual tells no more
    assert background(question, None, usual) == usual


@pytest.mark.parametrize(
    ("question", "text", "wanted"),
    [
        ("Welche Farbe haben die Schals?", "Wir tragen dunkelgrüne Schals.", 1.0),
        ("Welche Farbe haben die Schals?", "Wir tragen lange Schals.", 0.5),
        ("Quelle est la largeur de la scène ?", "La scène fait 8 mètres.", 1.0),
        ("围巾是什么颜色的？", "我们戴深绿色围巾。", 1.0),
    ],
)
def test_the_word_for_the_kind_of_thing_is_met_where_such_a_thing_stands(
    question: str, text: str, wanted: float
) -> None:
    assert weigh(question, [passage(text)], Vocabulary(100, {})).coverage == pytest.approx(wanted)


def test_two_chinese_letters_in_a_row_are_met_as_a_word() -> None:
    apart = [passage("支持显示商品和发卡。")]
    together = [passage("支持显卡。")]
    counted = Vocabulary(100, {"支持": 20, "显": 30, "卡": 30})
    assert weigh("支持哪些显卡？", apart, counted).coverage < 0.6
    assert weigh("支持哪些显卡？", together, counted).coverage == 1


def test_a_compound_and_a_verb_in_one_word_are_held() -> None:
    text = [passage("Jede Nacht läuft eine Datensicherung. Hier ist das Umschalten erklärt.")]
    known = Vocabulary(100, {"sicher": 2, "schalt": 2, "nacht": 2})
    assert weigh("Wann läuft die Sicherung?", text, known, language="de").coverage == 1
    assert weigh("Wie schalte ich um?", text, known, language="de").coverage == 1
    assert weigh("Wie schalte ich?", text, known, language="de").coverage == 0
    assert weigh("Wie melde ich mich an?", text, known, language="de").coverage == 0


def test_where_cosines_lie_close_the_mean_of_all_questions_counts_too() -> None:
    question, chunks, around = np.array([1.0, 0.0]), np.array([[0.9, 0.43], [0.9, 0.43]]), Background(0.8, 0.03)
    own, both = background(question, chunks, around), close_background(question, chunks, around)
    assert both.mean == pytest.approx((own.mean + 0.8) / 2)
    assert both.deviation == CLOSE_BACKGROUND.deviation
    assert close_background(question, None, around) == CLOSE_BACKGROUND
