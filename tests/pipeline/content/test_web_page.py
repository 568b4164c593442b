import pytest

from pipeline.content.formats.web_page import read

PAGE = """<!doctype html>
<html><head><title>The &amp; gate</title><meta name="description" content="On gates.">
<style>p { color: red }</style></head>
<body>
<nav><a href="/">Home</a></nav>
<h1>The <em>old</em>
  gate</h1>
<p>It rusts, a &lt; b.<br>Oil it.</p>
<ul><li>One</li><li>Two <ol><li>Inner</li><li>More</li></ol></li></ul>
<pre><code>x = 1
  y</code></pre>
<table><tr><th>Part</th><th>Price</th></tr><tr><td>Oil</td><td>3 | 4</td></tr></table>
<img src="a.png" alt="A gate."><script>let x</script>
<p hidden></p><form>Send</form><dl><dt>Term</dt><dd>Meaning</dd></dl>
<!-- secret -->
</body></html>"""


def test_a_page_is_what_its_readers_see():
    front = read(PAGE.encode())
    assert front.values == {"title": "The & gate", "description": "On gates."}
    assert front.body.split("\n\n") == [
        "# The *old* gate",
        "It rusts, a < b.\nOil it.",
        "- One\n- Two\n    1. Inner\n    2. More",
        "```\nx = 1\n  y\n```",
        "| Part | Price |\n| --- | --- |\n| Oil | 3 \\| 4 |",
        "A gate.",
        "Term",
        "Meaning",
    ]


@pytest.mark.parametrize(
    ("page", "values"),
    [
        ("---\ntitle: Own\ndraft: true\n---\n<p>x", {"title": "Own", "draft": True}),
        ('<meta name="robots" content="NOINDEX, nofollow"><p>x', {"robots": "noindex"}),
        ("<title>A</title><svg><title>B</title></svg><p>x", {"title": "A"}),
        ("<p>x</b></i></table></ul></td></tr>", {}),
    ],
)
def test_what_a_page_says_of_itself(page, values):
    front = read(page.encode())
    assert (front.values, front.body.strip("*")) == (values, "x")


def test_what_readers_do_not_see_is_not_read():
    page = """<div hidden>No <div>nor</div> this</div><p>Seen.</p>
    <section style="color: red; DISPLAY:none">No<br>never</section><img hidden alt="no"><input hidden>
    <nav><nav>No</nav> no</nav><p>Also.</p>"""
    assert read(page.encode()).body == "Seen.\n\nAlso."


def test_it_is_linear():
    assert read(b"<ul><li>" * 3_000 + b"x").body.endswith("- x")
    assert read(b"<b>" * 30_000).body.strip("*") == ""
    assert read(b"<" * 100_000).body
