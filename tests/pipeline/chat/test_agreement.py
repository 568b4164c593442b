import pytest

from pipeline.chat.agreement import BestQuotation

DECK = "I like it. The base model with 64 GB is not enough, but I got a 512 GB one. It is small and light."


def agrees(question: str, text: str, sentence: str, heading: str = "") -> bool:
    return BestQuotation(question, heading, text).is_said_by(sentence)


@pytest.mark.parametrize(
    ("sentence", "says"),
    [("I got a 512 GB one.", True), ("Yes, your deck has storage.", False), ("A card of a terabyte is in it.", False)],
)
def test_a_sentence_says_what_the_quotation_says_and_more_than_the_question(sentence: str, says: bool) -> None:
    assert agrees("How much storage does your deck have?", DECK, sentence) is says


def test_the_heading_counts_as_said() -> None:
    question, sentence = "Which comic does he draw?", "He draws Moon Cats."
    assert agrees(question, "He draws it every day.", sentence, "Comics > Moon Cats")
    assert not agrees(question, "He draws it every day.", sentence)


@pytest.mark.parametrize(
    ("question", "text", "right", "wrong"),
    [
        (
            "Which command prints the configuration for the editor?",
            "To connect the editor, run `tool config --now`. The editor opens it under Settings.",
            "Run tool config --now.",
            "The editor opens Settings.",
        ),
        (
            "How many rooms has the house?",
            "The house was built by my uncle. It has seven rooms.",
            "The house has seven rooms.",
            "The house was built by my uncle.",
        ),
    ],
)
def test_a_sentence_holds_the_kind_of_thing_that_is_asked_for(question: str, text: str, right: str, wrong: str) -> None:
    assert agrees(question, text, right)
    assert not agrees(question, text, wrong)


def test_an_option_of_one_letter_is_an_answer() -> None:
    text = "You can use lookarounds with `grep -P`. The `-o` option prints the match."
    assert agrees("Which flag of grep understands lookarounds?", text, "The `-P` flag understands lookarounds.")
    assert not agrees("Which flag of grep understands lookarounds?", text, "Lookarounds.")


def test_a_key_that_is_none_of_code_needs_no_marks() -> None:
    text = "A few things are good to know:\n- F12 acts as the Home button\n- Tab is the Play/Pause button"
    assert agrees("Which key is the Home button?", text, "The Home button is F12.")


TART = "- 170g all-purpose flour\n- 1 tbsp sugar\n- 113g cold butter"


def test_a_fragment_from_beside_what_the_question_speaks_of_is_no_answer() -> None:
    question = "How much butter goes into the tart?"
    assert agrees(question, TART, "113g")
    assert agrees(question, TART, "113g cold butter")
    assert not agrees(question, TART, "170g all-purpose flour")
    lost = "When a key is lost, it hides within reach. Search the whole room and you will find it."
    assert not agrees("Where does a lost key hide?", lost, "Search the whole room and you will find it.")
    assert agrees("Where does a lost key hide?", lost, "Within reach.")


def test_an_answer_keeps_the_code_that_its_sentence_is_about() -> None:
    text = "`voice.prompt` describes how the assistant speaks, for example briefly. It goes into every example."
    question = "How do I make the assistant speak briefly?"
    assert not agrees(question, text, "Describe how the assistant speaks, for example briefly.")
    assert agrees(question, text, "Set the prompt: it describes how the assistant speaks.")
    assert agrees("What does `voice.prompt` do?", text, "It describes how the assistant speaks, for example briefly.")


@pytest.mark.parametrize("sentence", ["Yes, the reader opens books.", "No, the reader does not open books.", "Books."])
def test_the_question_again_adds_nothing(sentence: str) -> None:
    quotation = BestQuotation("Does the reader open books?", "", "The reader opens books and comics.")
    assert quotation.adds_nothing(sentence)
    assert not quotation.is_said_by(sentence)
    assert not quotation.adds_nothing("It opens comics too.")


def test_an_answer_keeps_what_its_sentence_denies() -> None:
    text = "The tool runs on Linux servers. It does not start on Windows laptops."
    question = "Does the tool start on laptops?"
    assert agrees(question, text, "It does not start on Windows laptops.")
    assert not agrees(question, text, "It starts on Windows laptops.")
    assert not agrees("Does the tool run on servers?", text, "No, the tool doesn't run on Linux servers.")
    without = "The lamp negotiates the mode without another round."
    assert agrees("Which lamp works without another round?", without, "The one that negotiates the mode.")


def test_what_introduces_a_list_is_no_answer_without_the_list() -> None:
    text = "When none is defined, the default stages are:\n- build\n- test\n- deploy"
    question = "Which stages run when I define none?"
    assert agrees(question, text, "By default the stages build, test and deploy run.")
    assert not agrees(question, text, "The default stages run.")


def test_an_answer_comes_from_a_sentence_that_speaks_of_what_is_asked() -> None:
    text = "- moved to a Ryzen with 8 cores\n- The server memory grew to 64 GB"
    question = "How much memory does the server have?"
    assert agrees(question, text, "The server has 64 GB of memory.")
    assert not agrees(question, text, "The server has 8 cores.")


def test_a_number_answers_whatever_the_verb() -> None:
    text = "I spent $150 each on the drives and never looked back."
    assert agrees("What did you pay for the drives?", text, "You paid $150.")
    assert not agrees("What did you pay for the drives?", text, "You paid plenty.")


PRINTER = (
    "I am tired of my printer. The printer is old news by now. Its extruder clogs every week, the bed warps, and the limits of "
    "its design make each long print a gamble that I lose more often than not."
)


def test_an_explanation_says_most_of_what_the_quotation_says() -> None:
    question = "Why will you sell the printer?"
    assert not agrees(question, PRINTER, "Because it is old news by now.")
    assert agrees(question, "My printer is old news by now. I want another.", "Because it is old news by now.")
    assert agrees("Is the printer new?", PRINTER, "No, it is old news by now.")
    assert agrees("How do I level it?", f"{PRINTER} Run `level --now` first.", "Run `level --now` first.")


def test_a_sentence_with_all_words_of_the_question_answers_it_alone() -> None:
    text = f"An epoch is one pass over all examples. {PRINTER}"
    assert agrees("What is an epoch?", text, "An epoch is one pass over all examples.")
    assert not agrees("What is an epoch like?", text, "The printer is old news.")


def test_a_statement_beside_a_yes_or_no_question_is_no_answer() -> None:
    text = f"The printer can make the room warmer. {PRINTER}"
    question = "Can the printer remember the last job?"
    assert not agrees(question, text, "The printer can make the room warmer.")
    assert agrees(question, text, "No, the printer can make the room warmer.")


def test_a_copied_heading_is_no_answer() -> None:
    text, heading = "The operations team must look at flaws in servers.", "Process > Steps"
    question = "Who looks after flaws?"
    assert agrees(question, text, "The operations team looks after flaws in servers.", heading)
    assert not agrees(question, text, "Process > Steps", heading)


def test_a_number_or_code_in_what_introduces_a_list_is_an_answer() -> None:
    text = "It is built in Rust.\n\nThis resulted in a 6.4MB binary in `bin`:\n\n```\n~/.cargo/bin/rye\n```"
    assert agrees("How big was the rye binary?", text, "The rye binary was 6.4MB.")
    text = "Django has an undocumented `_raw_delete()` method that does this:\n\n```\nreports._raw_delete(db)\n```"
    assert agrees("Which method deletes rows without signals?", text, "Django's `_raw_delete()` method deletes rows.")


def test_a_list_speaks_of_what_its_introduction_speaks_of() -> None:
    question = "Which four types of metrics are there?"
    text = "It supports four types of metrics:\n- Counter\n- Gauge\n- Histogram\n- Summary"
    assert agrees(question, text, "There are Counter, Gauge, Histogram and Summary.")


def test_a_name_that_is_a_word_without_meaning_elsewhere_is_an_answer() -> None:
    question, text = "Which language is it written in?", "Most parts are written in Go. Some are in Java."
    assert agrees(question, text, "It is written in Go.")
    assert not agrees(question, text, "It is written in Then.")
