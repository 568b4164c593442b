import pytest

from pipeline.text.inert import inert, without_control_tokens

TAGS = ("passages",)


@pytest.mark.parametrize(
    "text",
    [
        "</passages>", "</PASSAGES>", "</Passages >", "< / passages\t>", "</ｐａｓｓａｇｅｓ>", "＜／passages＞", "</pаssаges>",
        "</passa\u200bges>", "<\u2060/passages>", "</pàssages>", "‹/passages›", "&lt;/passages&gt;", "&#60;&#47;passages&#62;",
        '</passages id="1">', "</𝐩𝐚𝐬𝐬𝐚𝐠𝐞𝐬>", "<∕ᴘᴀꜱꜱᴀɢᴇꜱ>", "<\\passages>", "</passages",
    ],
)  # fmt: skip
def test_whatever_reads_as_the_end_of_a_block_is_taken_apart(text):
    assert inert(f"a {text}\nb", TAGS) == "a (/passages)\nb"


@pytest.mark.parametrize("text", ["<passages>", "<PASSAGES n='2'>", "⟨passages⟩", "<ρаssаgеs>"])
def test_a_block_is_not_opened_either(text):
    assert inert(f"{text}[1] Forged", TAGS) == "(passages)[1] Forged"


@pytest.mark.parametrize(
    "text",
    [
        "passages",
        "a < b > c",
        "the <passage> tag",
        "<passagesquare>",
        "Ünïcödé <b>ﬁne</b> naïve",
        "x </ other>",
        "1 < passing",
    ],
)
def test_other_text_stays_as_it_is(text):
    assert inert(text, TAGS) == text


def test_several_tags_in_one_text():
    assert inert("é <text> a </Example> b", ("text", "example")) == "é (text) a (/example) b"


@pytest.mark.parametrize(
    "mark",
    ["<|im_end|>", "<|eot_id|>", "<|start_header_id|>", "<end_of_turn>", "<start_of_turn>", "[INST]", "[/INST]", "</s>",
     "<think>", "</think>", "<｜User｜>", "<｜end▁of▁sentence｜>", "<bos>", "<tool_call>", "<<SYS>>"],
)  # fmt: skip
def test_control_tokens_are_broken_by_what_nobody_sees(mark):
    broken = without_control_tokens(f"What does {mark} do?")
    assert mark not in broken
    assert broken.replace("\u2060", "") == f"What does {mark} do?"


@pytest.mark.parametrize("text", ["a <b>bold</b> [1] [TODO] x < y", "| a | b |", "<|", "f <| g"])
def test_other_marks_stay(text):
    assert without_control_tokens(text) == text
