"""What the tables of the languages tell about questions and answers."""

import pytest

from pipeline.text.languages.tables import Kind, known_codes, table


@pytest.mark.parametrize(
    ("code", "question", "kind"),
    [
        ("de", "Wie viele Äpfel gibt es?", "amount"),
        ("de", "Wer stimmt das Klavier?", "person"),
        ("zh", "面包要烤多久？", "amount"),
        ("ja", "ピアノを調律するのは誰ですか", "person"),
        ("fr", "Quand ?", "time"),
        ("hi", "छत की मरम्मत कब हुई?", "time"),
        ("ko", "누가 왔나요?", "person"),
        ("de", "Wertvoll?", None),
        ("de", "Was haben die Bremsen gekostet?", "price"),
        ("fr", "Combien ont coûté les freins ?", "price"),
        ("hi", "ब्रेक कितने के पड़े?", "price"),
        ("ko", "브레이크는 얼마였나요?", "price"),
        ("ko", "비행 시간은 얼마나 되나요?", "amount"),
        ("hi", "कौन सी किताब है?", None),
        ("en", "What colour is the car?", "colour"),
        ("de", "Welche Farbe hat das Auto?", "colour"),
        ("de", "Welche Farbe haben wir für die Küche genommen?", None),
        ("ru", "Какого цвета машина?", "colour"),
        ("zh", "汽车是什么颜色的？", "colour"),
        ("vi", "Xe hơi màu gì?", "colour"),
    ],
)
def test_a_question_asks_for_a_kind_of_thing(code: str, question: str, kind: str | None) -> None:
    assert table(code).asked_kind(question) == kind


@pytest.mark.parametrize(
    ("code", "kind", "holds", "lacks"),
    [
        ("de", "time", "Das war im Oktober.", "Das war gestrig."),
        ("de", "time", "Das war vor einem Jahr.", "Sie ist ein Jahr alt."),
        ("de", "colour", "Es ist dunkelrot.", "Das Brot ist fertig."),
        ("de", "price", "Es kostete 640.", "Es sind 640 Seiten."),
        ("es", "time", "Se hace a las tres.", "Se hace con las tres."),
        ("fr", "price", "La facture était de 640 euros.", "Il a neuf ans."),
        ("it", "time", "Parte alle tre.", "Sono tre."),
        ("nl", "time", "'s Ochtends eet ze.", "Ze is negen jaar oud."),
        ("pt", "time", "Às quintas-feiras.", "Somos sete."),
        ("ar", "time", "في الساعة الثالثة", "نحن سبعة"),
        ("ru", "colour", "У нас красная машина.", "Машина новая."),
        ("ja", "colour", "車は青いです。", "車は新しいです。"),
        ("zh", "price", "账单是640欧元。", "一共七个人。"),
        ("ko", "price", "청구서는 640유로였다.", "회원은 일곱 명이다."),
        ("hi", "colour", "गाड़ी नीली है।", "गाड़ी नई है।"),
        ("vi", "colour", "Xe màu trắng.", "Xe mới."),
        ("en", "colour", "The door is reddish.", "The door is new."),
    ],
)
def test_what_stands_near_an_answer(code: str, kind: Kind, holds: str, lacks: str) -> None:
    pattern = table(code).holds_kind(kind)
    assert pattern is not None
    assert pattern.search(holds)
    assert not pattern.search(lacks)


@pytest.mark.parametrize("code", "en de fr es pt it nl ru ja zh ko ar hi vi".split())
def test_what_is_asked_for_can_be_found(code: str) -> None:
    rules = table(code)
    assert rules.asks.keys() - rules.holds.keys() <= {"person"}


def test_a_person_can_not_be_told_where_every_noun_has_a_capital() -> None:
    assert table("de").holds_kind("person") is None


@pytest.mark.parametrize("code", [code for code in known_codes() if table(code).is_known])
def test_the_sign_of_a_currency_tells_a_price_in_every_language(code: str) -> None:
    price = table(code).holds_kind("price")
    assert price
    assert all(price.search(text) for text in ("$5", "US$12", "5 €", "1.200 ₽", "￥80"))
    assert not price.search("500")
