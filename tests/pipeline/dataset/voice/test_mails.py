import pytest

from pipeline.dataset.voice.mails import mbox
from pipeline.errors import ContentError

BOX = """From MAILER Mon Jan  1 00:00:00 2026
From: Bob Miller <bob@corp.test>
To: Ada <ada@home.test>
Subject: Lunch

Shall we have lunch?

From MAILER Mon Jan  1 00:00:01 2026
From: =?utf-8?q?Ada_L=C3=B6v?= <Ada@home.test>
To: Bob Miller <bob@corp.test>
Subject: Re: Lunch
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

On Mon, 1 Jan 2026 at 12:00, Bob Miller wrote:

>> An older word of mine
> Shall we have lunch?

Gladly, caf=C3=A9 at noon?
>From there we walk.

--\x20
Ada, +49 30 1234567
"""
HTML = """From x
From: ada@home.test
To: carl@corp.test
Subject: Plans
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=b

--b
Content-Type: text/html; charset=nobody-knows

<p>I like the <b>plan</b>.</p><blockquote>What do you think?</blockquote>
--b--
"""


@pytest.mark.parametrize("author", ["ada@home.test", "Ada Löv"])
def test_only_the_owners_mails_are_read_and_what_they_quote_was_said_before(author):
    [said] = mbox(BOX, author)
    assert said.text == "Gladly, café at noon?\nFrom there we walk."
    assert said.before == "Shall we have lunch?"
    assert said.others == {"Bob Miller", "bob@corp.test"}
    assert said.conversation == "lunch"


def test_a_mail_in_html_with_an_unknown_encoding_is_read():
    [said] = mbox(HTML, "ada@home.test")
    assert (said.text, said.before) == ("I like the plan.", "What do you think?")


def test_a_header_in_an_encoding_that_is_none_is_taken_as_it_stands():
    [said] = mbox(HTML.replace("Plans", "=?utf\xff8?q?Plans?="), "ada@home.test")
    assert said.text == "I like the plan."


def test_what_was_forwarded_is_nobodys_answer():
    box = BOX.split("From MAILER")[2].replace("Gladly", "See this.\n\n---------- Forwarded message ---------\nGladly")
    [said] = mbox("From MAILER" + box, "ada@home.test")
    assert said.text == "See this."


def test_a_box_without_mail_or_without_the_owners_is_told():
    with pytest.raises(ContentError, match="export it again"):
        mbox("\0\1 no mail", "ada@home.test")
    with pytest.raises(ContentError, match=r"set voice\.author .* ada@home\.test|bob@corp\.test"):
        mbox(BOX, "zoe@home.test")
