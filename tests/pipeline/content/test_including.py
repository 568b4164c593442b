"""What a page takes in from other files is found with it, and nothing private comes in."""

from pathlib import Path

import pytest

from pipeline.content import read_sources
from pipeline.content.memory import ReadMemory
from pipeline.settings import ContentSource, Settings, VoiceSource


@pytest.fixture
def site(tmp_path):
    def site(kind, files, path=".", **options):
        for name, text in files.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return Settings(root=tmp_path, content=[ContentSource(path=Path(path), kind=kind, **options)])

    return site


CODE = """import x

// #region gate
  export function open() {
    // #region inner
    return 1
    // #endregion inner
  }
// #endregion gate
rest
"""


@pytest.mark.parametrize(
    ("call", "right"),
    [
        ("<<< @/code/x.ts#gate", "```ts\nexport function open() {\n  return 1\n}\n```"),
        ("<<< ../code/x.ts#inner{1 js:line-numbers} [Title]", "```js\nreturn 1\n```"),
        ("- a\n\n  <<< ../code/x.ts#inner", "- a\n\n  ```ts\n  return 1\n  ```"),
        ("<<< @/code/y.py#part{1,2-3}", "```py\na = 1\n```"),
        ("<<< @/code/z.html#part", "```html\n<b>\n```"),
        ("<<< @/code/fence.txt", "````txt\n```\na\n```\n````"),
        ("```\n<<< @/code/y.py\n```", "```\n<<< @/code/y.py\n```"),
        ("a\n\n<<< @/code/missing.ts\n\n<<< @/code/x.ts#missing\n\n<<< @/.env\n\n<<< @/draft.md\n\n<<< ../../out.ts", "a"),
    ],
)  # fmt: skip
def test_code_that_a_page_of_vitepress_takes_in(site, call, right):
    files = {
        ".vitepress/config.ts": "",
        "docs/a.md": call,
        "code/x.ts": CODE,
        "code/y.py": "# region part\na = 1\n# endregion\nb = 2",
        "code/z.html": "<a>\n<!-- #region part -->\n<b>\n<!-- #endregion part -->\n",
        "code/fence.txt": "```\na\n```",
        ".env": "KEY = 1",
        "draft.md": "---\ndraft: true\n---\nSecret.",
        "../out.ts": "outside",
    }
    assert report_of(site("vitepress", files), "/a.md").document.text == right


def report_of(settings, name, memory=None):
    return next(report for report in read_sources(settings, memory) if report.id.endswith(name))


@pytest.mark.parametrize(
    ("kind", "page", "part", "body"),
    [
        ("hugo", "content/a.md", "content/part.md", '{{% include "part.md" %}}'),
        ("hugo", "content/a.md", "content/sub/part.md", '{{< readfile file="/content/sub/part.md" >}}'),
        ("jekyll", "a.md", "_includes/part.md", "{% include part.md level=2 %}"),
        ("jekyll", "sub/a.md", "sub/part.md", "{% include_relative part.md %}"),
        ("eleventy", "src/a.md", "src/_includes/part.md", '{% include "part.md" %}'),
        ("eleventy", "src/a.md", "src/part.md", '{% renderFile "./part.md" %}'),
        ("vitepress", "guide/a.md", "parts/part.md", "<!--@include: ../parts/part.md-->"),
        ("vitepress", "guide/a.md", "parts/part.md", "<!-- @include: @/parts/part.md -->"),
        (
            "astro",
            "src/content/docs/a.mdx",
            "src/content/docs/_part.mdx",
            "import Part from './_part.mdx';\n\n<Part />",
        ),
        ("astro", "src/content/docs/a.mdx", "src/parts/part.md", 'import Part from "~/parts/part.md"\n\n<Part x={1}/>'),
        ("docusaurus", "docs/a.md", "docs/_part.mdx", "import Part from '@site/docs/_part.mdx';\n\n<Part></Part>"),
    ],
)
def test_each_generators_includes(site, kind, page, part, body):
    text = f"Before.\n\n{body}\n\nAfter."
    settings = site(kind, {page: text, part: "---\ntitle: P\n---\nThe heron stood.\n", ".vitepress/config.ts": ""})
    report = report_of(settings, page.rpartition("/")[2])
    assert (report.document.text, report.document.visibility) == ("Before.\n\nThe heron stood.\n\nAfter.", "public")


PARTS = "# A\n\none\n\n## Deep down\n\ntwo\n\n## C\n\nthree\n\n<!-- #region r -->\nfour\n<!-- #endregion r -->\n"


@pytest.mark.parametrize(
    ("behind", "text"),
    [
        ("{3,5}", "one\n\n## Deep down"),
        ("{,1}", "# A"),
        ("{11,11}", "three"),
        ("#deep-down", "## Deep down\n\ntwo"),
        ("#r", "four"),
        ("#none", ""),
    ],
)
def test_parts_of_a_part_in_vitepress(site, behind, text):
    settings = site("vitepress", {"a.md": f"x\n\n<!--@include: ./p.md{behind}-->", "p.md": PARTS})
    assert report_of(settings, "/a.md").document.text == f"x\n\n{text}".strip()


def test_parts_within_parts_and_circles_end(site):
    files = {
        "a.md": "a <!--@include: ./b.md-->",
        "b.md": "b <!--@include: ./c.md--> <!--@include: ./a.md-->",
        "c.md": "c <!--@include: ./c.md-->",
    }
    assert report_of(site("vitepress", files), "/a.md").document.text.split() == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("part", "text", "options"),
    [
        ("part.md", "---\ndraft: true\n---\nSecret.", {}),
        ("part.md", "---\ntags: [private]\n---\nSecret.", {}),
        ("part.md", "---\na: b: c\ndraft: x: y\n---\nSecret.", {}),
        ("journal/part.md", "Secret.", {"private": ["journal/**"]}),
        ("journal/part.md", "Secret.", {"exclude": ["journal/**"]}),
    ],
)
def test_a_private_part_stays_out_and_that_is_said(site, part, text, options):
    settings = site("vitepress", {"a.md": f"Open. <!--@include: ./{part}-->", part: text}, **options)
    report = report_of(settings, "/a.md")
    assert (report.document.text, report.reason) == ("Open.", "left out part.md, which is private")


def test_a_part_below_a_private_source_stays_out(site):
    settings = site("vitepress", {"docs/a.md": "Open. <!--@include: ../notes/b.md-->", "notes/b.md": "Secret."}, "docs")
    settings.content.append(ContentSource(path=Path("notes"), kind="obsidian"))
    assert report_of(settings, "/a.md").document.text == "Open."


@pytest.mark.parametrize("path", ["letters/mine.md", "letters"])
def test_what_teaches_the_voice_is_taken_in_nowhere(site, path):
    page = "Open. <!--@include: ./letters/mine.md-->\n\n<<< ./letters/mine.md"
    settings = site("vitepress", {"a.md": page, "letters/mine.md": "Secret."})
    settings.voice.append(VoiceSource(path=Path(path)))
    report = report_of(settings, "/a.md")
    assert (report.document.text, report.document.visibility) == ("Open.", "public")
    assert "left out mine.md" in report.reason


def test_nothing_is_taken_from_outside_nor_from_hidden_files_or_programs(site, tmp_path):
    (tmp_path.parent / "outside.md").write_text("Secret.", encoding="utf-8")
    (tmp_path / "link.md").symlink_to(tmp_path.parent / "outside.md")
    targets = ("../outside.md", "./.env.md", "./.git/x.txt", "./link.md", "./package.json", "/etc/hostname")
    calls = " ".join(f"<!--@include: {target}-->" for target in targets)
    files = {"a.md": f"Open. {calls}", ".env.md": "Secret.", ".git/x.txt": "Secret.", "package.json": "Secret."}
    assert report_of(site("vitepress", files), "/a.md").document.text.strip() == "Open."


def test_an_import_that_is_shown_as_code_takes_nothing_in(site):
    code = "```mdx\nimport Part from './_part.mdx';\n\n<Part />\n```"
    settings = site("astro", {"a.mdx": f"Write this:\n\n{code}", "_part.mdx": "The heron."})
    assert report_of(settings, "/a.mdx").document.text == f"Write this:\n\n{code}"


def test_a_change_of_a_part_is_seen(site, tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.content.memory.SETTLED_SECONDS", -10)
    settings = site("vitepress", {"a.md": "Open. <!--@include: ./p/part.md-->"})
    memory = ReadMemory()
    assert report_of(settings, "/a.md", memory).document.text == "Open."
    part = tmp_path / "p/part.md"
    part.parent.mkdir()
    part.write_text("One.", encoding="utf-8")
    assert [*memory.taking_in({part})] == [tmp_path / "a.md"]
    assert report_of(settings, "/a.md", memory).document.text == "Open. One."
    part.write_text("Two two.", encoding="utf-8")
    assert report_of(settings, "/a.md", memory).document.text == "Open. Two two."
