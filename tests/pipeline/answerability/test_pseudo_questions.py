from pipeline.answerability.pseudo_questions import REPLACED, pseudo_questions
from pipeline.index.vocabulary import SampledChunk
from pipeline.text.function_words import FUNCTION_WORDS
from pipeline.text.words import words

CHUNKS = [
    SampledChunk(1, "a.md", "d1", "The gateway listens on port 8765 of this machine. Visitors reach the gateway only."),
    SampledChunk(2, "b.md", "d2", "Nectarines ripen late in summer and fill the whole market.\n\n```sh\nrm -r tarts\n```"),
    SampledChunk(3, "c.md", "d3", "Ok.\n\n# Heading\n\nYes it is."),
]  # fmt: skip


def test_a_question_is_made_of_its_own_chunks_words() -> None:
    made = [question for seed in range(60) for question in pseudo_questions(CHUNKS, 10, seed)]
    own = other = 0
    for question in made:
        meant = [word for word in words(question.text) if word not in FUNCTION_WORDS]
        own += sum(word in words(question.chunk.text) for word in meant)
        other += sum(word not in words(question.chunk.text) for word in meant)
    assert {question.chunk.document for question in made} == {"a.md", "b.md"}
    # A replaced word can be one of the same chunk by chance.
    assert 0.6 * REPLACED < other / (own + other) < 1.2 * REPLACED


def test_the_same_chance_makes_the_same_questions() -> None:
    assert pseudo_questions(CHUNKS, 2, 7) == pseudo_questions(CHUNKS, 2, 7)
    assert len(pseudo_questions(CHUNKS, 2, 7)) == 2


def test_a_new_chunk_changes_no_question_about_the_others() -> None:
    # A number at the end of a sentence has no meaning to replace, so the words that are known elsewhere play no part.
    before = {question.text for question in pseudo_questions(CHUNKS[:1], 9, 7)}
    after = {question.text for question in pseudo_questions([CHUNKS[1], CHUNKS[0]], 9, 7) if question.chunk.number == 1}
    assert len(before & after) >= 1
    assert len(after) == len(before) == 2


def test_code_and_short_sentences_ask_nothing() -> None:
    made = [question.text for seed in range(30) for question in pseudo_questions(CHUNKS[1:], 9, seed)]
    assert made
    assert not any("rm" in words(text) or "tarts" in words(text) for text in made)


def test_a_question_is_in_the_language_of_its_chunk() -> None:
    german = SampledChunk(1, "a.md", "a", "Die beiden Bienenstöcke stehen hinter dem Gewächshaus im Garten.")
    chinese = SampledChunk(2, "b.md", "b", "路由器挂在阁楼上，客人用的网络叫苍鹭。")
    asked = [q for seed in range(20) for q in pseudo_questions([german, chinese], 9, seed)]
    of_german = {q.text for q in asked if q.chunk is german}
    of_chinese = {q.text for q in asked if q.chunk is chinese}
    assert any(text.startswith(("Was ist ", "Wo ist ", "Wie ")) for text in of_german)
    assert not any(text.startswith(("What ", "Where ", "Which ")) for text in of_german | of_chinese)
    assert all(" " not in text for text in of_chinese)
