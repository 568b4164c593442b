import pytest

from pipeline.dataset.filters.form import form
from pipeline.dataset.filters.other_languages import fault_elsewhere, has_rules
from pipeline.text.languages.tables import known_codes, table
from tests.pipeline.dataset.filters.pairs import SETTINGS, candidate

# By language: a text in the first person, a question, its answer, and answers with the fault that the key names.
PAIRS = {
    "de": (
        "Unser Gewächshaus ist zwölf Meter lang. Ich gieße die Tomaten am Morgen, und mein Bruder erntet sie.",
        "Wie lang ist das Gewächshaus?",
        "Es ist zwölf Meter lang.",
        {
            "left over": "Antwort: Es ist zwölf Meter lang.",
            "declines": "Der Text sagt darüber nichts.",
            "stand alone": "Laut dem Text ist es zwölf Meter lang.",
            "of the author": "Der Autor gießt die Tomaten am Morgen.",
            "breaks off": "Es ist zwölf Meter lang und",
        },
    ),
    "fr": (
        "Notre serre fait douze mètres de long. J'arrose les tomates le matin et mon frère les récolte.",
        "Quelle est la longueur de la serre ?",
        "Elle fait douze mètres de long.",
        {
            "left over": "Réponse : Elle fait douze mètres de long.",
            "declines": "Le passage ne mentionne pas cela.",
            "stand alone": "Selon le texte, elle fait douze mètres.",
            "of the author": "L'auteur arrose les tomates le matin.",
            "breaks off": "Elle fait douze mètres de long et",
        },
    ),
    "es": (
        "Nuestro invernadero mide doce metros de largo. Yo riego los tomates por la mañana y mi hermano los recoge.",
        "¿Cuánto mide el invernadero?",
        "Mide doce metros de largo.",
        {
            "left over": "Respuesta: Mide doce metros de largo.",
            "declines": "El texto no menciona eso.",
            "stand alone": "Según el texto, mide doce metros.",
            "of the author": "El autor riega los tomates por la mañana.",
            "breaks off": "Mide doce metros de largo y",
        },
    ),
    "pt": (
        "A nossa estufa tem doze metros de comprimento. Eu rego os tomates de manhã e o meu irmão apanha-os.",
        "Qual é o comprimento da estufa?",
        "Tem doze metros de comprimento.",
        {
            "left over": "Resposta: Tem doze metros de comprimento.",
            "declines": "O texto não menciona isso.",
            "stand alone": "De acordo com o texto, tem doze metros.",
            "of the author": "O autor rega os tomates de manhã.",
            "breaks off": "Tem doze metros de comprimento e",
        },
    ),
    "it": (
        "La nostra serra è lunga dodici metri. Io annaffio i pomodori al mattino e mio fratello li raccoglie.",
        "Quanto è lunga la serra?",
        "È lunga dodici metri.",
        {
            "left over": "Risposta: È lunga dodici metri.",
            "declines": "Il testo non menziona questo.",
            "stand alone": "Secondo il testo è lunga dodici metri.",
            "of the author": "L'autore annaffia i pomodori al mattino.",
            "breaks off": "La serra è lunga dodici metri e",
        },
    ),
    "nl": (
        "Onze kas is twaalf meter lang. Ik geef de tomaten 's ochtends water en mijn broer plukt ze.",
        "Hoe lang is de kas?",
        "De kas is twaalf meter lang.",
        {
            "left over": "Antwoord: De kas is twaalf meter lang.",
            "declines": "De tekst vermeldt dat niet.",
            "stand alone": "Volgens de tekst is de kas twaalf meter lang.",
            "of the author": "De auteur geeft de tomaten water.",
            "breaks off": "De kas is twaalf meter lang en",
        },
    ),
    "ru": (
        "Наша теплица длиной двенадцать метров. Я поливаю помидоры утром, а мой брат их собирает.",
        "Какой длины теплица?",
        "Её длина двенадцать метров.",
        {
            "left over": "Ответ: Её длина двенадцать метров.",
            "declines": "В тексте не сказано об этом.",
            "stand alone": "Согласно тексту, её длина двенадцать метров.",
            "of the author": "Автор поливает помидоры утром.",
            "breaks off": "Её длина двенадцать метров и",
        },
    ),
    "ja": (
        "うちの温室の長さは十二メートルです。私は朝にトマトに水をやり、弟が収穫します。",
        "温室の長さはどれくらいですか？",
        "十二メートルです。",
        {
            "left over": "回答：十二メートルです。",
            "declines": "本文には記載されていません。",
            "stand alone": "本文によると十二メートルです。",
            "of the author": "著者は朝にトマトに水をやります。",
        },
    ),
    "zh": (
        "我们的温室长十二米。我早上给西红柿浇水，我的弟弟来收。",
        "温室有多长？",
        "温室长十二米。",
        {
            "left over": "答案：温室长十二米。",
            "declines": "原文没有提到这一点。",
            "stand alone": "根据原文，温室长十二米。",
            "of the author": "作者早上给西红柿浇水。",
        },
    ),
    "ko": (
        "우리 온실의 길이는 십이 미터이다. 나는 아침에 토마토에 물을 주고 동생이 수확한다.",
        "온실의 길이는 얼마인가요?",
        "길이는 십이 미터이다.",
        {
            "left over": "답변: 길이는 십이 미터이다.",
            "declines": "본문에는 그런 내용이 없습니다.",
            "stand alone": "본문에 따르면 길이는 십이 미터이다.",
            "of the author": "저자는 아침에 토마토에 물을 준다.",
        },
    ),
    "ar": (
        "طول بيتنا الزجاجي اثنا عشر مترا. أنا أسقي الطماطم في الصباح وأخي يجمعها.",
        "كم طول البيت الزجاجي؟",
        "طوله اثنا عشر مترا.",
        {
            "left over": "الجواب: طوله اثنا عشر مترا.",
            "declines": "الملاحظات لا تذكر ذلك.",
            "stand alone": "وفقا للنص طوله اثنا عشر مترا.",
            "of the author": "المؤلف يسقي الطماطم في الصباح.",
        },
    ),
    "hi": (
        "हमारा ग्रीनहाउस बारह मीटर लंबा है। मैं सुबह टमाटरों को पानी देता हूँ और मेरा भाई उन्हें तोड़ता है।",
        "ग्रीनहाउस कितना लंबा है?",
        "वह बारह मीटर लंबा है।",
        {
            "left over": "उत्तर: वह बारह मीटर लंबा है।",
            "declines": "पाठ में यह नहीं बताया गया है।",
            "stand alone": "पाठ के अनुसार वह बारह मीटर लंबा है।",
            "of the author": "लेखक सुबह टमाटरों को पानी देता है।",
        },
    ),
    "vi": (
        "Nhà kính của chúng tôi dài mười hai mét. Tôi tưới cà chua vào buổi sáng và em trai tôi hái chúng.",
        "Nhà kính dài bao nhiêu?",
        "Nhà kính dài mười hai mét.",
        {
            "left over": "Trả lời: Nhà kính dài mười hai mét.",
            "declines": "Văn bản không đề cập đến điều đó.",
            "stand alone": "Theo văn bản, nhà kính dài mười hai mét.",
            "of the author": "Tác giả tưới cà chua vào buổi sáng.",
        },
    ),
}


@pytest.mark.parametrize("code", PAIRS)
def test_a_good_pair_passes(code: str) -> None:
    text, question, answer, _ = PAIRS[code]
    assert form(candidate(question, answer, text=text, title="Garten"), SETTINGS) == ""


@pytest.mark.parametrize(("code", "said"), [(code, said) for code in PAIRS for said in PAIRS[code][3]])
def test_a_fault_is_told_by_the_words_of_the_language(code: str, said: str) -> None:
    text, question, _, faulty = PAIRS[code]
    assert said in fault_elsewhere(candidate(question, faulty[said], text=text))


def test_what_the_text_says_itself_is_no_fault() -> None:
    text = "Der Autor des Buches heißt Keller. Ich habe mein Exemplar verliehen, und der Text sagt nichts über Tomaten."
    assert fault_elsewhere(candidate("Wie heißt der Autor?", "Der Autor heißt Keller.", text=text)) == ""


def test_a_context_of_something_is_no_context_of_a_prompt() -> None:
    text = "Ein Overlay verbindet die Container mehrerer Rechner, und ich nutze es für Docker."
    asked = "Was bedeutet Overlay im Kontext von Docker, und was steht im Text des Liedes?"
    assert fault_elsewhere(candidate(asked, "Es verbindet die Container mehrerer Rechner.", text=text)) == ""


def test_an_answer_without_the_colour_that_is_asked_for_is_refused() -> None:
    text = "Ich habe meine Schuppentür blau gestrichen, weil das alte Holz grau war."
    asked = "Welche Farbe hat die Schuppentür?"
    assert "asks for a colour" in fault_elsewhere(candidate(asked, "Die Schuppentür ist alt.", text=text))
    assert fault_elsewhere(candidate(asked, "Sie ist blau.", text=text)) == ""


def test_english_and_languages_without_a_table_have_other_rules() -> None:
    assert fault_elsewhere(candidate("How long is the greenhouse?", "Answer: 12 metres.")) == ""
    polish = "Nasza szklarnia ma dwanaście metrów długości. Rano podlewam pomidory, a mój brat je zbiera."
    assert fault_elsewhere(candidate("Jaką długość ma szklarnia?", "Odpowiedź: dwanaście metrów.", text=polish)) == ""
    assert not has_rules("pl")


@pytest.mark.parametrize("code", [code for code in known_codes() if table(code).is_known])
def test_every_language_with_a_table_has_rules(code: str) -> None:
    assert has_rules(code)


@pytest.mark.parametrize(
    ("text", "question", "answer", "hit"),
    [
        ("Ich arbeite dort sechs Stunden am Tag.", "Wie lange arbeitest du?", "Er arbeitet dort sechs Stunden.", "er"),
        (
            "Ich kontrolliere sie alle sieben Tage.",
            "Wie oft?",
            "Der Imker kontrolliert sie alle sieben Tage.",
            "der imker",
        ),
        ("Je travaille 25 minutes chaque matin.", "Combien ?", "Elle travaille 25 minutes chaque matin.", "elle"),
    ],
)
def test_the_words_behind_i_show_the_author(text: str, question: str, answer: str, hit: str) -> None:
    said = fault_elsewhere(candidate(question, answer, text=text))
    assert said == f"the answer speaks of the author as “{hit}”, not in the first person"


def test_somebody_who_does_something_for_the_author_passes() -> None:
    text = "Mon voisin m'a aidé pour la porte en fer."
    assert fault_elsewhere(candidate("Qui t'a aidé ?", "Mon voisin. Il m'a aidé pour la porte.", text=text)) == ""
