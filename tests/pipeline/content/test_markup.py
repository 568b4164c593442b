import re

import pytest

from pipeline.content.kinds.astro import ASTRO
from pipeline.content.kinds.obsidian import OBSIDIAN
from pipeline.content.markup import clean


def text_of(markdown, kind=OBSIDIAN):
    return clean(markdown, kind=kind).text


@pytest.mark.parametrize(
    ("markdown", "text"),
    [
        ("see [[Note]].", "see Note."),
        ("see [[Folder/Deep/Note|the *note*]].", "see the *note*."),
        ("[[Folder/Note.md#Part#Sub]]", "Note > Part > Sub"),
        ("[[#Part]] and [[Note#^a1b2]]", "Part and Note"),
        ("| [[A\\|b]] |\n|---|", "| b |\n|---|"),
        ("[[1]](http://a.b)", "[[1]](http://a.b)"),
        ("![[Note]] ![[Note.md#Part|300]]", "Note Note > Part"),
        ("![[v1.2 release notes]]", "v1.2 release notes"),
        ("![[note.with.dots]] ![[v1.2]] ![[a/v1.2#Part]]", "note.with.dots v1.2 v1.2 > Part"),
        ("![A tree|200](x.png) ![A|200x100](x) ![a|b](x)", "A tree A a|b"),
        ("text\n\n[image1]: <data:image/png;base64,Yhx/k0+=>\n[b]: data:text/plain,x 't'\nend", "text\n\nend"),
        ("[x](data:image/png;base64,AA/A) [y](<data:a/b,c> 't') data:image/gif;base64,AA+A=", "x y "),
        ("the data: URI and data:image", "the data: URI and data:image"),
        ("a ![[pic.PNG|300]] b ![[Books.base#All]] c ![[x.pdf]]", "a  b  c"),
        ("![alt *words*](a%20(1).png 'title') ![](b.png) ![ref][1]", "alt *words*  ref"),
        ("[![badge](b.svg)](http://x.org)", "[badge](http://x.org)"),
        ("![x](data:image/png;base64,AAAA)", "x"),
        ("keep [links](http://a.b)", "keep [links](http://a.b)"),
        ("> [!note] Mind\n> this", "> **Mind**\n> this"),
        ("> [!WARNING]-\n> this", "> **Warning**\n> this"),
        ("==a b ==c==", "==a b c"),
        ("<script a='x'>hid <b></script >seen", "seen"),
        ("::: not a title { here", "::: not a title { here"),
        (":::tip[Mind]\nthis\n:::", "**Mind**\n\nthis"),
        ("::: danger Stop here {.x}\nthis\n:::", "**Stop here**\n\nthis"),
        ("<Aside title='Mind'>this</Aside>", "Mind this"),
        ("a ==b c== d", "a b c d"),
        ("a == b and c == d", "a == b and c == d"),
        ("paragraph ^block-1\n\n^block-2\n", "paragraph"),
        ("x<br>y <kbd>Ctrl</kbd>+C <mark>m</mark>", "x y Ctrl+C m"),
        ("<https://a.b> 1 < 2 > 0 a<b", "<https://a.b> 1 < 2 > 0 a<b"),
        ('<div class="a">\n    <p>text</p>\n</div>', "text"),
        ("<table><tr><td>a</td><td>b</td></tr></table>", "a  b"),
        ("<img src='x' alt='A cat'>", "A cat"),
        ("<script>\n\nalert('x')\n\n</script>\nafter", "after"),
        ("a&nbsp;b &eacute; &lt;b&gt; &amp;", "a b é &lt;b&gt; &"),
        ("isn&#39;t &quot;it&quot; &#x26; &amp;lt; &#42; &amp;#42;", 'isn\'t "it" & &amp;lt; &#42; &amp;#42;'),
        ("a  \nb \n\n\n\nc\n  \n", "a  \nb\n\nc"),
    ],
)
def test_words_stay_and_marks_go(markdown, text):
    assert text_of(markdown).strip().replace("\n ", "\n") == text.strip()


@pytest.mark.parametrize(
    "markdown",
    [
        "a <!-- SECRET --> b",
        "a\n\n<!-- SECRET\n\n```\nSECRET\n```\n\n-->\n\nb",
        "a <!-- SECRET\n\nSECRET --> b",
        "a\n\n<!-- SECRET is never closed\n\nSECRET",
        "a %%SECRET%% b",
        "a\n%%\nSECRET\n\n```\nSECRET\n```\n%%\nb",
        "a\n\n%% SECRET is never closed\n\nSECRET",
        "a <template>SECRET</template> b",
    ],
)
def test_comments_are_never_text(markdown):
    text = text_of(markdown)
    assert "SECRET" not in text
    assert text.startswith("a")


def test_percent_signs_are_no_comment_in_astro():
    assert text_of("100%% sure, 50%% done", kind=ASTRO) == "100%% sure, 50%% done"


def test_code_is_left_alone():
    markdown = (
        "`[[x]] <b> %%y%%` and:\n\n```html\n<!-- kept -->\n![[x]] &nbsp;\n\n\n\n<b>\n```\n\n    [[indented]] %%z%%"
    )
    assert text_of(markdown) == markdown


def test_tags_are_gathered_from_obsidian_text_only():
    markdown = "#one and (#no) `#code` #two/three, #12 [[Note#heading]] #one\n# Heading\n```\n#fence\n```\n%% #hidden %% http://a.b/#x #日本"
    assert clean(markdown, kind=OBSIDIAN).tags == ("one", "two/three", "one", "日本")
    assert clean(markdown, kind=ASTRO).tags == ()


def test_tables_and_tasks_stay():
    markdown = "a\n\n| x | y |\n|---|---|\n| 1 | 2 |\n\n- [x] done"
    assert text_of(markdown) == markdown


def test_of_a_footnote_the_words_stay():
    markdown = "Tea[^1] and the class [^a-z].\n\n[^1]: Black tea,\n    of course.\n\n`[^1]` stays."
    assert text_of(markdown) == "Tea and the class [^a-z].\n\nBlack tea,\nof course.\n\n`[^1]` stays."


def test_a_link_that_carries_a_program_keeps_its_words_and_its_page():
    markdown = f"[Try it](https://play.example.org/#{'eNp9UsFu' * 60}) and [more](https://a.example/x?y=1#z)."
    assert text_of(markdown) == "[Try it](https://play.example.org/) and [more](https://a.example/x?y=1#z)."


@pytest.mark.parametrize(
    ("markdown", "right"),
    [
        ("# \\<script setup>\n\nText of the page.", "# \\<script setup>\n\nText of the page."),
        ("Write a <script> into it.\n\nMore.", "Write a into it.\n\nMore."),
        ("a\n\n<script>\nlet b", "a"),
        ("a <script>let b</script> c", "a c"),
    ],
)
def test_only_a_real_script_hides_what_follows(markdown, right):
    assert text_of(markdown).replace("  ", " ") == right


def test_a_frame_whose_attributes_have_no_space_between_them_goes():
    markdown = 'a\n\n<iframe class="x"src="https://b.example/?c=1&d=1"sandbox="allow-forms"></iframe>\n\nb'
    assert re.sub(r"\s+", " ", text_of(markdown)) == "a b"
