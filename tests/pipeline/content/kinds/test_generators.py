"""Each generator's addresses, drafts and calls, from its own documentation."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.content.chunking import chunk_document
from pipeline.content.parsing import parse_document
from pipeline.settings import ContentSource

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def document(kind, text, path="notes/a.md", url="/{slug}/"):
    source = ContentSource(path=Path("s"), kind=kind, url=url)
    return parse_document(text.encode(), source, f"s/{path}", Path(path), path, now=NOW)[0]


@pytest.mark.parametrize(
    ("kind", "path", "front", "pattern", "url"),
    [
        ("hugo", "posts/My Post.md", "", "/{slug}/", "/posts/my-post/"),
        ("hugo", "posts/IsPage.md", "", "/{slug}/", "/posts/ispage/"),
        ("hugo", "posts/bundle/index.md", "", "/{slug}/", "/posts/bundle/"),
        ("hugo", "_index.md", "", "/{slug}/", "/"),
        ("hugo", "_index.md", "", "/fa/blog/{year}/{title}/", "/fa/blog/"),
        ("hugo", "news/_index.md", "", "/blog/{year}/{title}/", "/blog/news/"),
        ("hugo", "_index.md", "", "/{year}/{title}/", ""),
        ("hugo", "news/My Post/index.md", "date: 2024-01-05", "/b/{year}/{month}/{slug}", "/b/2024/01/my-post"),
        ("hugo", "news/a.md", "date: 2024-01-05\nslug: b", "/b/{year}/{slug}/", "/b/2024/b/"),
        ("hugo", "posts/Q & A.md", "", "/{slug}/", "/posts/q-a/"),
        ("hugo", "a.md", "title: My & Your Day", "/b/{title}/", "/b/my-your-day/"),
        ("hugo", "a.md", "title: My Day\nslug: day", "/b/{title}/", "/b/day/"),
        ("hugo", "posts/a.md", "slug: 2024", "/{slug}/", "/posts/2024/"),
        ("hugo", "posts/a.md", "url: /about/me/", "https://x.org/{slug}/", "https://x.org/about/me/"),
        ("hugo", "posts/a.de.md", "", "/{slug}/", "/de/posts/a/"),
        ("hugo", "a.de.md", "", "https://x.org/posts/{slug}/", "https://x.org/de/posts/a/"),
        ("hugo", "_index.de.md", "", "/{slug}/", "/de/"),
        ("hugo", "a.de.md", "date: 2024-01-05\ntitle: Mein Tag", "/{year}/{title}/", "/de/2024/mein-tag/"),
        ("hugo", "trip/index.de.md", "date: 2024-01-05", "/b/{year}/{slug}/", "/de/b/2024/trip/"),
        ("hugo", "a.pt-br.md", "", "/b/{stem}/", "/pt-br/b/a/"),
        ("hugo", "_index.de.md", "", "/{year}/{title}/", ""),
        ("hugo", "posts/a.de.md", "url: ueber/mich/", "/{slug}/", "/de/ueber/mich/"),
        ("hugo", "posts/a.de.md", "url: /ueber/mich/", "/{slug}/", "/ueber/mich/"),
        ("jekyll", "2024-01-05-new-car.md", "", "/{year}/{month}/{day}/{slug}.html", "/2024/01/05/new-car.html"),
        ("jekyll", "2024-01-05-car.md", "categories: [cars, Old Ones]", "/{categories}/{slug}/", "/cars/old-ones/car/"),
        ("jekyll", "2024-01-05-car.md", "", "/{categories}/{slug}/", "/car/"),
        ("jekyll", "about.md", "", "/{slug}.html", "/about.html"),
        ("jekyll", "index.md", "", "/{slug}.html", "/"),
        ("jekyll", "about.md", "permalink: /me/", "/{slug}.html", "/me/"),
        ("eleventy", "blog/2024-01-05-car.md", "", "/{slug}/", "/blog/car/"),
        ("eleventy", "blog/blog.md", "", "/{slug}/", "/blog/"),
        ("eleventy", "a.md", "permalink: /x/index.html", "/{slug}/", "/x/"),
        ("eleventy", "b/a.md", "permalink: '/x/{{ page.fileSlug }}/'", "/{slug}/", "/x/a/"),
        ("eleventy", "a.md", "title: My Car\npermalink: '/x/{{ title | slugify }}/'", "/{slug}/", "/x/my-car/"),
        ("mkdocs", "guide/Set Up.md", "", "/{slug}/", "/guide/Set%20Up/"),
        ("mkdocs", "guide/README.md", "", "/{slug}/", "/guide/"),
        ("mkdocs", "a.md", "title: My Day\ndate: {created: 2024-01-05}", "/b/{year}/{title}/", "/b/2024/my-day/"),
        ("sphinx", "index.md", "", "/{slug}.html", "/"),
        ("sphinx", "user/index.md", "", "/{slug}.html", "/user/"),
        ("sphinx", "user/Quick.md", "", "/{slug}.html", "/user/Quick.html"),
        ("docusaurus", "01-intro/02-Setup.md", "", "/docs/{slug}", "/docs/intro/Setup"),
        ("docusaurus", "api/api-clipboard.mdx", "id: clipboard", "/docs/{slug}", "/docs/api/clipboard"),
        ("docusaurus", "api/a.md", "slug: /start", "/docs/{slug}", "/docs/start"),
        ("docusaurus", "api/a.md", "slug: b", "/docs/{slug}", "/docs/api/b"),
        ("docusaurus", "api/README.md", "", "/docs/{slug}", "/docs/api"),
        ("docusaurus", "2024-01-05-car/index.md", "", "/blog/{slug}", "/blog/2024/01/05/car"),
        ("docusaurus", "2024-01-05-car.md", "slug: car", "/blog/{slug}", "/blog/car"),
        ("vitepress", "guide/Start.md", "", "/{slug}.html", "/guide/Start.html"),
        ("vitepress", "guide/index.md", "", "/{slug}.html", "/guide/"),
        ("vitepress", "index.md", "", "/{slug}", "/"),
        ("quartz", "My Notes/Q & A.md", "", "/{slug}", "/My-Notes/Q--and--A"),
        ("quartz", "a.md", "permalink: b/c", "/{slug}", "/b/c"),
        ("astro", "My Post.md", "slug: 2024", "/{slug}/", "/2024/"),
    ],
)
def test_addresses(kind, path, front, pattern, url):
    assert document(kind, f"---\n{front}\n---\nText." if front else "Text.", path, pattern).url == url


@pytest.mark.parametrize(
    ("kind", "text", "path"),
    [
        ("hugo", "+++\ndraft = true\n+++\nText.", "a.md"),
        ("hugo", '{\n  "draft": true\n}\nText.', "a.md"),
        ("hugo", "---\nheadless: true\n---\nText.", "a/index.md"),
        ("hugo", "---\nbuild:\n  render: never\n---\nText.", "a.md"),
        ("hugo", "---\ndate: 2099-01-01\n---\nText.", "a.md"),
        ("jekyll", "Text.", "_drafts/a.md"),
        ("jekyll", "---\npublished: false\n---\nText.", "2024-01-05-a.md"),
        ("jekyll", "Text.", "2099-01-05-a.md"),
        ("eleventy", "---\npermalink: false\n---\nText.", "a.md"),
        ("docusaurus", "---\nunlisted: true\n---\nText.", "a.md"),
        ("docusaurus", "Text.", "api/_part.mdx"),
        ("quartz", "---\ndraft: true\n---\nText.", "a.md"),
    ],
)
def test_what_the_generator_keeps_off_the_site_is_private(kind, text, path):
    assert document(kind, text, path).visibility == "private"
    assert document(kind, "Text.", "2024/a.md").visibility == "public"


def test_front_matter_in_json_has_its_values():
    found = document("hugo", '{\n  "title": "A {car}",\n  "tags": ["old"],\n  "date": "2024-01-05"\n}\n\nIt rusts.\n')
    assert (found.title, found.tags, str(found.date), found.text) == ("A {car}", ("old",), "2024-01-05", "It rusts.")


def test_hugos_calls_go_and_their_words_stay():
    text = document(
        "hugo",
        """Before {{< youtube id="x" >}} after.

{{% notice tip %}}
Oil the **hinge**.
{{% /notice %}}

{{< figure src="/a.png" caption="The old gate" >}}

See [the gate]({{< ref "gate.md" >}}).

{{< highlight go "linenos=table" >}}
a := "{{ b }}"
{{< /highlight >}}

```text
{{</* audio src=/x.mp3 */>}}
```
""",
    ).text
    assert text == (
        "Before  after.\n\nOil the **hinge**.\n\nThe old gate\n\nSee [the gate](gate.md).\n\n"
        '```go\n\na := "{{ b }}"\n\n```\n\n```text\n{{< audio src=/x.mp3 >}}\n```'
    )


def test_liquids_calls_go_and_their_words_stay():
    text = document(
        "jekyll",
        """---
title: Gates
version: 3
---
{% include header.html %}
{% assign x = 1 %}{{ page.title }} of version {{ page.version }}, {{ site.data.x }}{{ "oak" | upcase }}.
{: .note }

{% for post in site.posts %}
* [{{ post.title }}]({{ post.url }})
{% endfor %}
{% comment %}Secret.{% endcomment %}
{% if a %}Paint it.{% else %}Leave it.{% endif %} See [cars]({% link _docs/cars.md %}).

{% highlight ruby %}
gate.open
{% endhighlight %}

Write {% raw %}`{{ page.title }}`{% endraw %}.
""",
        "gates.md",
    ).text
    assert text == (
        "Gates of version 3, oak.\n\nPaint it.Leave it. See [cars](_docs/cars.md).\n\n"
        "```ruby\n\ngate.open\n\n```\n\nWrite `{{ page.title }}`."
    )


def test_a_loop_that_never_ends_hides_nothing():
    assert document("jekyll", "{% for x in y %}\nThe gate {{ x }} is oak.").text == "The gate  is oak."


def test_a_page_that_liquid_does_not_run_on_is_as_it_is():
    text = "---\nrender_with_liquid: false\n---\nWrite {% if %}."
    assert document("jekyll", text).text == "Write {% if %}."


@pytest.mark.parametrize(
    ("kind", "heading"),
    [
        ("hugo", "## The gate {#entrance}"),
        ("hugo", "## The gate {#entrance .wide}"),
        ("docusaurus", "## The gate {#entrance}"),
        ("docusaurus", "## The gate {/* #entrance */}"),
        ("vitepress", "## The gate {#entrance}"),
        ("jekyll", "## The gate\n{: #entrance}"),
        ("jekyll", "## The gate {:#entrance}"),
        ("markdown", "## The gate {#entrance}"),
    ],
)
def test_a_heading_has_the_anchor_that_its_author_gave_it(kind, heading):
    chunk = chunk_document(document(kind, f"---\ntitle: Gates\n---\n{heading}\n\nIt is of oak.\n"), 900)[0]
    assert (chunk.headings, chunk.anchor, chunk.text) == (("The gate",), "entrance", "It is of oak.")


def test_vue_goes():
    text = '[[toc]]\n\n<<< @/x.js\n\n<Badge type="tip" @click="x" />The gate {{ $frontmatter.x }}is `{{ oak }}`.\n'
    assert document("vitepress", text).text == "The gate is `{{ oak }}`."


def test_docusaurus_reads_every_file_as_mdx():
    text = "import X from './x'\n\n<X a={1}>\n\nThe gate.\n\n</X>\n"
    assert document("docusaurus", text, "a.md").text == "The gate."


def test_hugos_pages_in_html():
    page = '---\ntitle: A\n---\n<h2>Gate</h2><p>It {{% note %}}rusts{{% /note %}}.</p>{{< gallery dir="x" />}}'
    assert document("hugo", page, "a.html").text == "## Gate\n\nIt rusts."


@pytest.mark.parametrize("kind", ["jekyll", "eleventy"])
def test_pages_in_html_with_liquid(kind):
    page = '---\ntitle: Gates\n---\n<h2>{{ page.title }}</h2>{% for x in site.posts %}<p>{{ x.title }}</p>{% endfor %}<a href="{% link a.md %}">Oak</a>'
    found = document(kind, page, "gates.html", "/{slug}/" if kind == "eleventy" else "/{slug}.html")
    assert (found.title, found.text) == ("Gates", "## Gates\n\nOak")
    assert found.url == ("/gates/" if kind == "eleventy" else "/gates.html")


def test_blocks_of_gitbook_in_a_plain_folder():
    text = '{% tabs %}\n{% tab title="Linux" %}\nmake\n{% endtab %}\n{% endtabs %}\n\n`{% kept %}` and {% kept %}'
    assert document("markdown", text).text == "**Linux**\n\nmake\n\n`{% kept %}` and {% kept %}"


def test_mkdocs_leaves_words():
    text = """!!! note "Mind"

    The gate :material-gate: rusts.

*[HTML]: Hyper Text Markup Language
[TOC]

--8<-- "missing.md"

End."""
    assert document("mkdocs", text).text == "**Mind**\n\nThe gate rusts.\n\nEnd."
