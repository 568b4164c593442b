import pytest

from web.markdown import render


def test_headings_carry_unique_anchors():
    rendered = render("## Set-up & run\n\n## Set-up & run\n\n### `make` *it*")
    assert [heading.anchor for heading in rendered.headings] == ["set-up--run", "set-up--run-1", "make-it"]
    assert '<h2 id="set-up--run-1">' in rendered.html


def test_a_first_heading_that_repeats_the_title_is_left_out_and_still_counts():
    rendered = render("# Bread\n\n## Bread\n", title="Bread")
    assert "<h1" not in rendered.html
    assert [heading.anchor for heading in rendered.headings] == ["bread-1"]


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '<img src=x onerror="alert(1)">',
        "[x](javascript:alert(1))",
        '<a href="javascript:alert(1)">x</a>',
        '<a href="data:text/html,<script>alert(1)</script>">x</a>',
        "<svg onload=alert(1)>",
        "<iframe src=https://evil.example></iframe>",
        '<p style="position:fixed" onclick="alert(1)">x</p>',
        "<style>*{display:none}</style>",
        "<form action=https://evil.example><input></form>",
        "![x](javascript:alert(1))",
        "```html\n<script>alert(1)</script>\n```",
    ],
)
def test_nothing_that_runs_or_reaches_out_of_the_article_survives(text):
    html = render(text).html.replace("&lt;script&gt;", "")
    assert not any(
        bad in html
        for bad in ("<script", "onerror", "onload", "onclick", "<iframe", "style", "<form", 'src="javascript', "<svg")
    )
    assert 'href="javascript' not in html
    assert 'href="data' not in html


def test_tables_code_and_details_stay():
    html = render(
        "| a | b |\n|---|--:|\n| 1 | 2 |\n\n```py\nx = 1\n```\n\n<details><summary>More</summary>\n\ntext\n\n</details>"
    ).html
    assert '<td align="right">2</td>' in html or "<td>2</td>" in html
    assert '<pre tabindex="0"><code class="language-py">x = 1' in html
    assert "<summary>More</summary>" in html


def test_a_link_that_leads_nowhere_on_this_site_keeps_only_its_words():
    html = render("[one](a.md) and [**two**](b.md)", link=lambda address: "/a" if address == "a.md" else None).html
    assert '<a href="/a" rel="noopener noreferrer">one</a> and <strong>two</strong>' in html
