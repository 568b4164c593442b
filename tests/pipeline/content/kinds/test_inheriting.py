"""Front matter that a folder or the site's configuration gives: a mark that stands only there keeps a note private."""

from pathlib import Path

import pytest

from pipeline.content import read_changed, read_sources, with_governed
from pipeline.content.folders import configurations
from pipeline.content.memory import ReadMemory
from pipeline.settings import ContentSource, Settings


@pytest.fixture
def site(tmp_path):
    def site(kind, files, path="content", **options):
        for name, text in files.items():
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return Settings(root=tmp_path, content=[ContentSource(path=Path(path), kind=kind, url="/{slug}/", **options)])

    return site


def seen(settings, memory=None):
    """The visibility of each document, by its path below the source."""
    reports = [report for report in read_sources(settings, memory) if report.document]
    return {report.id.partition("/")[2]: report.document.visibility for report in reports}


NOTE = "---\ntitle: A\n---\nText."


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("content/diary/_index.md", "+++\n[cascade]\ndraft = true\n+++\n"),
        ("content/diary/_index.md", "---\ncascade:\n  - _target: {kind: page}\n    private: true\n---\n"),
        ("content/diary/_index.md", "---\ncascade:\n  build: {render: never, list: never}\n---\n"),
        ("content/_index.md", "---\ncascade:\n- target:\n    path: /diary/**\n  params: {private: true}\n---\n"),
        ("hugo.toml", '[[cascade]]\ndraft = true\n[cascade.target]\npath = "{/secrets/**,/diary/**}"\n'),
        ("hugo.yaml", "cascade:\n  - draft: true\n    target: {path: /diary/*, lang: de}\n"),
        ("hugo.yaml", "404: x\nlanguages: {no: {1: x, cascade: {draft: true, target: {1: x, path: /diary/*}}}}\n"),
        ("config/_default/hugo.toml", '[cascade]\ndraft = true\n[cascade._target]\npath = "/diary/a"\n'),
        ("config/_default/cascade.toml", 'draft = true\n[target]\npath = "/diary/**"\n'),
        ("hugo.toml", "[languages.en.cascade]\ndraft = true\n[languages.en.cascade.target]\npath = '/diary/*'\n"),
        ("config/_default/languages.toml", "[en.cascade]\ndraft = true\n[en.cascade.target]\npath = '/diary/*'\n"),
        ("hugo.toml", "ignoreFiles = ['diary/a\\.md$']\n"),
        ("content/diary/index.md", "---\ndraft: true\n---\nThe page of a bundle.\n"),
        ("content/diary/index.md", "---\npublishDate: 2099-01-01\n---\nThe page of a bundle.\n"),
        ("content/diary/index.md", "---\ntags: [private]\n---\nThe page of a bundle.\n"),
    ],
)
def test_hugo(site, name, text):
    settings = site("hugo", {"config.toml": "", "content/diary/a.md": NOTE, "content/posts/b.md": NOTE, name: text})
    found = seen(settings)
    assert (found["diary/a.md"], found["posts/b.md"]) == ("private", "public")


def test_hugo_the_nearer_one_wins(site):
    settings = site(
        "hugo",
        {
            "hugo.toml": "[cascade]\ndraft = true\n",
            "content/posts/_index.md": "---\ncascade: {draft: false}\n---\n",
            "content/posts/a.md": NOTE,
            "content/posts/b.md": "---\ndraft: true\n---\nText.",
            "content/pages/c.md": NOTE,
            "content/pages/d.md": "---\nDraft: false\n---\nText.",
        },
    )
    assert seen(settings) == {
        "posts/a.md": "public",
        "posts/b.md": "private",
        "pages/c.md": "private",
        "pages/d.md": "public",
    }


def test_hugo_a_part_of_a_bundle_that_is_a_draft_cannot_be_public_by_itself(site):
    files = {"hugo.toml": "", "content/trip/index.md": "---\ndraft: true\n---\nText.", "content/trip/part.md": NOTE}
    files["content/trip/deep/more.md"] = "---\ndraft: false\n---\nText."
    assert set(seen(site("hugo", files)).values()) == {"private"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("hugo.toml", "[cascade\ndraft = true"),
        ("content/_index.md", "---\ncascade:\n\tdraft: true\n  x: [\n---\n"),
    ],
)
def test_what_cannot_be_read_could_hide_a_note(site, name, text):
    settings = site("hugo", {"config.toml": "", "content/a.md": NOTE, name: text})
    report = next(report for report in read_sources(settings) if report.id == "content/a.md")
    assert report.document.visibility == "private"
    assert name.rpartition("/")[2] in report.reason
    assert "mend" in report.reason


@pytest.mark.parametrize(
    "config",
    [
        "defaults:\n- scope: {path: diary}\n  values: {published: false}\n",
        "defaults:\n- scope: {path: '', type: pages}\n  values: {draft: true}\n"
        "- scope: {path: posts, type: pages}\n  values: {draft: false}\n",
        "defaults:\n- scope: {path: 'di*/'}\n  values: {sitemap: false, robots: noindex}\n",
        "defaults:\n- values: {private: true}\n- scope: {path: posts}\n  values: {private: false}\n",
        "exclude: [diary/]\n",
    ],
)
def test_jekyll(site, config):
    settings = site("jekyll", {"_config.yml": config, "diary/a.md": NOTE, "posts/b.md": NOTE}, ".")
    assert seen(settings) == {"diary/a.md": "private", "posts/b.md": "public"}


def test_jekyll_of_posts_and_collections(site):
    config = (
        "collections:\n  recipes: {output: false}\n"
        "defaults:\n- scope: {path: '', type: posts}\n  values: {published: false}\n"
    )
    files = {"_config.yml": config, "_posts/2024-01-05-a.md": NOTE, "_recipes/b.md": NOTE, "c.md": NOTE}
    assert seen(site("jekyll", files, "_posts")) == {"2024-01-05-a.md": "private"}
    assert seen(site("jekyll", files, "_recipes")) == {"b.md": "private"}
    assert seen(site("jekyll", files, "."))["c.md"] == "public"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("content/diary/diary.json", '{"draft": true}'),
        ("content/diary/diary.11tydata.json", '{"permalink": false}'),
        ("content/diary/diary.yaml", "tags: [private]"),
        ("content/diary/diary.yml", "2024: a year\nyes: no\ndraft: true"),
        ("content/diary/a.json", '{"published": false}'),
        ("content/diary/diary.11tydata.js", "module.exports = { draft: true }"),
        ("content/diary/diary.11tydata.mjs", "export default {\n  permalink: () =>\n    false,\n}"),
        (".eleventyignore", "# not these\ncontent/diary\n"),
    ],
)
def test_eleventy(site, name, text):
    files = {".eleventy.js": "", "content/diary/a.md": "---\ntags: [x]\n---\nText.", "content/b.md": NOTE, name: text}
    assert seen(site("eleventy", files)) == {"diary/a.md": "private", "b.md": "public"}


def test_eleventy_a_program_is_not_run_and_that_is_said(site):
    files = {
        ".eleventy.js": "",
        "content/posts/posts.11tydata.js": 'export default { tags: ["posts"], layout: "post.njk" } // no draft',
        "content/posts/a.md": NOTE,
        "content/ideas/ideas.11tydata.js": "export default { eleventyComputed: { draft: (data) => !data.done } }",
        "content/ideas/b.md": NOTE,
        "content/ideas/c.md": "---\nvisibility: public\n---\nText.",
    }
    settings = site("eleventy", files)
    assert seen(settings) == {"posts/a.md": "public", "ideas/b.md": "private", "ideas/c.md": "public"}
    reasons = {report.id: report.reason for report in read_sources(settings)}
    assert "ideas.11tydata.js is a program" in reasons["content/ideas/b.md"]
    assert not reasons["content/ideas/c.md"]
    assert not reasons["content/posts/a.md"]


def test_eleventy_data_above_the_source(site):
    files = {".eleventy.js": "", "src/src.json": '{"draft": true}', "src/posts/a.md": NOTE}
    assert seen(site("eleventy", files, "src/posts")) == {"a.md": "private"}


@pytest.mark.parametrize(
    ("kind", "name", "text"),
    [
        ("quartz", "quartz.config.ts", "const config = { filters: [Plugin.ExplicitPublish()] }"),
        ("quartz", "quartz.config.ts", 'ignorePatterns: ["private", "diary", ".obsidian"],'),
        ("vitepress", "content/.vitepress/config.ts", "export default { srcExclude: ['**/TODO.md', 'diary/**'] }"),
        ("docusaurus", "docusaurus.config.js", "docs: { exclude: ['**/diary/**'] }"),
        ("obsidian", "content/.obsidian/publish.json", '{"excluded": ["diary"]}'),
    ],
)
def test_what_other_configurations_leave_out(site, kind, name, text):
    files = {name: text, "content/diary/a.md": NOTE, "content/b.md": "---\npublish: true\n---\nText."}
    assert seen(site(kind, files, visibility="public")) == {"diary/a.md": "private", "b.md": "public"}


def test_a_filter_in_a_comment_is_none(site):
    files = {
        "quartz.config.ts": "filters: [Plugin.RemoveDrafts()] // or Plugin.ExplicitPublish()",
        "content/a.md": NOTE,
    }
    assert seen(site("quartz", files)) == {"a.md": "public"}


def test_astro_a_schema_that_makes_drafts_of_all(site):
    schema = "const posts = defineCollection({ schema: z.object({ draft: z.boolean().default(true) }) })"
    files = {"src/content.config.ts": schema, "astro.config.mjs": "", "src/content/posts/a.md": NOTE}
    files["src/content/posts/b.md"] = "---\ndraft: false\n---\nText."
    assert seen(site("astro", files, "src/content/posts")) == {"a.md": "private", "b.md": "public"}


def test_what_is_left_out_says_so(site):
    settings = site("jekyll", {"_config.yml": "exclude: [a.md]", "a.md": NOTE}, ".")
    assert [report.reason for report in read_sources(settings)] == [
        "left out by the site's configuration, so it is private"
    ]


def test_what_is_inherited_is_not_said_by_the_note_and_counts_again_when_it_changes(site, tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.content.memory.SETTLED_SECONDS", -10)
    settings = site("hugo", {"hugo.toml": "[cascade]\ndescription = 'Of all'\n", "content/a.md": NOTE})
    memory = ReadMemory()
    document = next(report.document for report in read_sources(settings) if report.document)
    assert document.text == "Text."
    assert seen(settings, memory) == {"a.md": "public"}
    before = configurations(settings)
    (tmp_path / "hugo.toml").write_text("[cascade]\ndraft = true\n", encoding="utf-8")
    assert configurations(settings) != before
    assert seen(settings, memory) == {"a.md": "private"}
    (tmp_path / "hugo.toml").write_text("", encoding="utf-8")
    section = tmp_path / "content/_index.md"
    section.write_text("---\ncascade: {draft: true}\n---\n", encoding="utf-8")
    due = sorted(with_governed(settings, [section]))
    states = {report.id: report.document.visibility for report in read_changed(settings, due) if report.document}
    assert states == {"content/a.md": "private"}


def test_what_a_section_governs_are_the_files_below_it_that_are_no_tools(site, tmp_path):
    settings = site(
        "hugo",
        {
            "hugo.toml": "",
            "content/b.md": NOTE,
            "content/posts/a.md": NOTE,
            "content/posts/deep/c.md": NOTE,
            "content/posts/node_modules/x/README.md": NOTE,
            "content/posts/.git/d.md": NOTE,
        },
    )
    content = tmp_path / "content"
    section, gone, note = content / "posts/_index.md", content / "gone/_index.md", content / "b.md"
    assert with_governed(settings, [note]) == {note}
    assert with_governed(settings, [section, gone]) == {
        section,
        gone,
        content / "posts/a.md",
        content / "posts/deep/c.md",
    }


def test_hugos_main_language_is_not_in_the_address(site):
    files = {"content/a.en.md": NOTE, "content/a.de.md": NOTE, "content/b/index.md": NOTE}
    settings = site("hugo", {"hugo.toml": "defaultContentLanguage = 'de'", **files})
    urls = {report.id: report.document.url for report in read_sources(settings) if report.document}
    assert urls == {"content/a.de.md": "/a/", "content/a.en.md": "/en/a/", "content/b/index.md": "/b/"}


def test_eleventys_design_and_output_are_not_read(site):
    said = "dir: {input: '.', output: 'dist', includes: 'parts'}, x.setDataDirectory('facts')"
    places = ("a.html", "dist/a.html", "parts/b.html", "facts/c.md", "node_modules/x/d.html", "_site/a.html")
    reports = read_sources(site("eleventy", {".eleventy.js": said, **dict.fromkeys(places, NOTE)}, "."))
    assert {report.id.partition("/")[2] for report in reports if report.document} == {"a.html"}


def test_jekylls_output_is_not_read(site):
    files = {"_config.yml": "destination: ./public", "a.html": NOTE, "public/a.html": NOTE, "_site/a.html": NOTE}
    reports = read_sources(site("jekyll", files, "."))
    assert {report.id.partition("/")[2] for report in reports if report.document} == {"a.html"}


def test_hugos_main_language_below_a_folder_of_its_own(site):
    files = {"content/a.md": NOTE, "content/a.de.md": NOTE, "content/b.en.md": NOTE, "content/c/index.md": NOTE}
    settings = site("hugo", {"hugo.toml": "defaultContentLanguageInSubdir = true", **files})
    urls = {report.id: report.document.url for report in read_sources(settings) if report.document}
    assert urls == {
        "content/a.md": "/en/a/",
        "content/a.de.md": "/de/a/",
        "content/b.en.md": "/en/b/",
        "content/c/index.md": "/en/c/",
    }


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mkdocs.yml", "exclude_docs: |\n  # a note\n  diary/\n  !diary/b.md\nkey: !ENV [A, b]"),
        ("mkdocs.yml", "draft_docs: a.md"),
        ("mkdocs.yml", "draft_docs: /diary/*.md"),
        ("docs/diary/.meta.yml", "draft: true"),
        ("docs/diary/.meta.yml", "tags: [private"),
    ],
)
def test_mkdocs(site, name, text):
    settings = site("mkdocs", {"mkdocs.yml": "", "docs/diary/a.md": NOTE, "docs/posts/b.md": NOTE, name: text}, "docs")
    assert seen(settings) == {"diary/a.md": "private", "posts/b.md": "public"}


def test_mkdocs_whose_configuration_can_not_be_read_is_private(site):
    settings = site("mkdocs", {"mkdocs.yml": "exclude_docs: [", "docs/a.md": NOTE}, "docs")
    [report] = read_sources(settings)
    assert report.document.visibility == "private"
    assert report.reason.startswith("mkdocs.yml can't be read (")


def test_mkdocs_takes_snippets_in(site):
    files = {
        "mkdocs.yml": "",
        "snippets/a.md": "The gate\n\nrusts.",
        "docs/a.md": '- x\n\n    --8<-- "snippets/a.md"\n',
    }
    [report] = read_sources(site("mkdocs", files, "docs"))
    assert report.document.text == "- x\n\n    The gate\n\n    rusts."


@pytest.mark.parametrize("pattern", ["diary", "diary/*", "diary/a.md", "**/a.md"])
def test_sphinx(site, pattern):
    said = f'# exclude_patterns = ["posts"]\nexclude_patterns = [\n  "_build",\n  "{pattern}",\n]\n'
    settings = site(
        "sphinx", {"docs/conf.py": said, "docs/diary/a.md": NOTE, "docs/posts/b.rst": "A\n=\nText."}, "docs"
    )
    assert seen(settings) == {"diary/a.md": "private", "posts/b.rst": "public"}


def test_vitepress_rewrites(site):
    config = """export default { rewrites: {
      'packages/:pkg/src/(.*)': ':pkg/index.md', // pages of a monorepo
      'old.md': 'new/place.md',
      ':all*/draft-:name.md': ':all*/:name.md',
    } }"""
    files = {"packages/core/src/a.md": NOTE, "old.md": NOTE, "x/y/draft-b.md": NOTE, "c.md": NOTE}
    settings = site("vitepress", {".vitepress/config.ts": config, **files}, ".")
    addresses = {report.id.partition("/")[2]: report.document.url for report in read_sources(settings)}
    assert addresses == {
        "packages/core/src/a.md": "/core/",
        "old.md": "/new/place/",
        "x/y/draft-b.md": "/x/y/b/",
        "c.md": "/c/",
    }


def addresses(settings):
    """The address of each document, by its path below the source."""
    reports = [report for report in read_sources(settings) if report.document]
    return {report.id.partition("/")[2]: report.document.url for report in reports}


@pytest.mark.parametrize(
    ("kind", "name", "text"),
    [
        ("hugo", "hugo.toml", "baseURL = 'https://x.org/sub/'"),
        ("hugo", "config/_default/hugo.yaml", "baseURL: /sub"),
        ("jekyll", "_config.yml", "baseurl: /sub\nurl: https://x.org\n"),
        ("jekyll", "_config.yml", "baseurl: sub/"),
    ],
)
def test_a_site_in_a_folder_of_its_host(site, kind, name, text):
    own = "url: /me/" if kind == "hugo" else "permalink: /me/"
    settings = site(kind, {name: text, "content/a.md": NOTE, "content/b.md": f"---\n{own}\n---\nText."})
    assert addresses(settings) == {"a.md": "/sub/a/", "b.md": "/sub/me/"}
    there = settings.content[0].model_copy(update={"url": "https://x.org/sub/{slug}/"})
    assert addresses(settings.model_copy(update={"content": [there]}))["a.md"] == "https://x.org/sub/a/"


def test_hugo_languages_in_front_of_the_address_stand_below_the_folder_of_its_host(site):
    files = {"hugo.toml": "baseURL = 'https://x.org/sub/'\n[languages.en]\n[languages.de]\n", "content/a.de.md": NOTE}
    settings = site("hugo", files)
    assert addresses(settings) == {"a.de.md": "/sub/de/a/"}
    for url, address in (("/sub/{slug}", "/sub/de/a"), ("https://x.org/sub/{slug}", "https://x.org/sub/de/a")):
        source = settings.content[0].model_copy(update={"url": url})
        assert addresses(settings.model_copy(update={"content": [source]})) == {"a.de.md": address}


def test_hugo_an_ending_that_is_no_language(site):
    files = {"hugo.toml": "", "content/docs/node.js.md": NOTE, "content/docs/socket.io.md": NOTE}
    files |= {"content/a.md": NOTE, "content/a.de.md": NOTE, "content/b.en.md": NOTE}
    assert addresses(site("hugo", files)) == {
        "docs/node.js.md": "/docs/node.js/",
        "docs/socket.io.md": "/docs/socket.io/",
        "a.md": "/a/",
        "a.de.md": "/de/a/",
        "b.en.md": "/b/",
    }


def test_hugo_only_languages_of_the_configuration_are_some(site):
    files = {"hugo.toml": "[languages.en]\n[languages.fr]\n", "content/a.fr.md": NOTE, "content/a.ts.md": NOTE}
    assert addresses(site("hugo", files)) == {"a.fr.md": "/fr/a/", "a.ts.md": "/a.ts/"}


def test_eleventys_templates_are_reported(site):
    files = {".eleventy.js": "", "content/a.md": NOTE, "content/b.njk": "{{ x }}", "content/c.liquid": "{{ x }}"}
    skipped = {report.id: report.reason for report in read_sources(site("eleventy", files)) if not report.document}
    assert skipped.keys() == {"content/b.njk", "content/c.liquid"}
    assert all("Markdown or HTML" in reason for reason in skipped.values())
