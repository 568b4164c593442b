import pytest

from pipeline.dataset.voice.letters import LONGEST, newsletter
from pipeline.errors import ContentError


def test_a_markdown_letter_loses_front_matter_headings_pictures_and_the_senders_line():
    text = "---\ntitle: May\n---\n# May\n\n![a cat](cat.png)\n\nI [planted](https://x.test) beans.\n\nUnsubscribe here"
    assert [said.text for said in newsletter(text, "")] == ["I planted beans."]


def test_a_letter_in_html_is_read():
    text = "<!DOCTYPE html><html><style>p{}</style><body><p>Dear all,</p><p>it rains&nbsp;again.</p></body></html>"
    assert [said.text for said in newsletter(text, "")] == ["Dear all,\n\nit rains again."]


def test_a_head_that_is_never_closed_hides_no_paragraph():
    text = "<!doctype html><head><meta charset=utf-8><title>May</title><style>p{}</style><body><p>It rains."
    assert [said.text for said in newsletter(text, "")] == ["It rains."]


@pytest.mark.parametrize("damage", ["<![if !mso]>", "<![<CDATA[ >", "<![31.12.25>"])
def test_marked_sections_of_html_are_passed_over(damage):
    assert [said.text for said in newsletter(f"<p>It {damage}rains.</p>", "")] == ["It rains."]


def test_a_long_letter_is_cut_between_paragraphs():
    pieces = [said.text for said in newsletter("\n\n".join(f"{n} " + "word " * 150 for n in range(5)), "")]
    assert len(pieces) == 3
    assert all(len(piece) <= LONGEST for piece in pieces)


def test_an_empty_letter_is_told():
    with pytest.raises(ContentError, match="no paragraph"):
        newsletter("# Title\n", "")
