"""What `sitetwin init` finds in a project of each generator."""

import pytest

from pipeline.machine import Machine
from pipeline.settings import load_settings
from pipeline.starter import write_settings

LINUX = Machine("linux", "x86_64", "", 64 * 2**30)
NOTE = "# A\n\nText.\n"
COLLECTIONS = """import { glob } from "astro/loaders";
export const BLOG_PATH = "src/data/blog";
const blog = defineCollection({ loader: glob({ pattern: "**/[^_]*.md", base: `./${BLOG_PATH}` }) });
const notes = defineCollection({ loader: glob({ pattern: "*.md", base: "./src/data/notes" }) });
"""


@pytest.mark.parametrize(
    ("files", "kind", "folders"),
    [
        ({"hugo.toml": "", "content/a.md": NOTE, "docs/b.md": NOTE}, "hugo", {"content": "/{slug}/"}),
        (
            {"config.yaml": "", "content/en/a.md": NOTE, "content/de/a.md": NOTE},
            "hugo",
            {"content/de": "/de/{slug}/", "content/en": "/{slug}/"},
        ),
        ({"config.toml": "", "notes/a.md": NOTE}, "markdown", {"notes": "/notes/{slug}"}),
        (
            {"_config.yml": "title: x", "_posts/2024-01-05-a.md": NOTE, "about.md": NOTE},
            "jekyll",
            {".": "/{slug}.html", "_posts": "/{categories}/{year}/{month}/{day}/{slug}.html"},
        ),
        (
            {
                "_config.yml": "permalink: /blog/:year/:title/\ncollections:\n  docs: {output: true}\n  hidden: {}\n",
                "_posts/2024-01-05-a.md": NOTE,
                "_docs/a.md": NOTE,
                "_hidden/a.md": NOTE,
            },
            "jekyll",
            {".": "/{slug}/", "_posts": "/blog/{year}/{slug}/", "_docs": "/docs/{slug}.html"},
        ),
        ({".eleventy.js": "", "src/a.md": NOTE}, "eleventy", {"src": "/{slug}/"}),
        (
            {"eleventy.config.js": 'export default () => ({ dir: { input: "site" } })', "site/a.md": NOTE},
            "eleventy",
            {"site": "/{slug}/"},
        ),
        (
            {"docusaurus.config.ts": "docs: { routeBasePath: '/' }", "docs/a.md": NOTE, "blog/b.md": NOTE},
            "docusaurus",
            {"docs": "/{slug}", "blog": "/blog/{slug}"},
        ),
        (
            {"hugo.toml": "[permalinks]\nposts = '/:year/:slug/'\nodd = '/:monthname/'", "content/posts/a.md": NOTE},
            "hugo",
            {"content": "/{slug}/", "content/posts": "/{year}/{title}/"},
        ),
        (
            {"hugo.yaml": "permalinks: {page: {blog: '/b/:filename/'}}", "content/blog/a.md": NOTE},
            "hugo",
            {"content": "/{slug}/", "content/blog": "/b/{stem}/"},
        ),
        (
            {
                "docusaurus.config.js": "",
                "versions.json": '["2.1", "2.0"]',
                "docs/a.md": NOTE,
                "versioned_docs/version-2.1/a.md": NOTE,
                "versioned_docs/version-2.0/a.md": NOTE,
                "i18n/de/docusaurus-plugin-content-docs/version-2.1/a.md": NOTE,
                "i18n/de/docusaurus-plugin-content-docs/current/a.md": NOTE,
                "i18n/de/docusaurus-plugin-content-blog/b.md": NOTE,
            },
            "docusaurus",
            {
                "versioned_docs/version-2.1": "/docs/{slug}",
                "i18n/de/docusaurus-plugin-content-docs/version-2.1": "/de/docs/{slug}",
                "i18n/de/docusaurus-plugin-content-blog": "/de/blog/{slug}",
            },
        ),
        (
            {"docusaurus.config.js": "lastVersion: 'current'", "versions.json": '["1"]', "docs/a.md": NOTE},
            "docusaurus",
            {"docs": "/docs/{slug}"},
        ),
        (
            {
                "hugo.yaml": "contentDir: text/en\nlanguages:\n  en: {}\n  no: {contentDir: text/no}\npermalinks: {blog: '/:section/:year/:slug'}\n",
                "text/en/blog/a.md": NOTE,
                "text/no/blog/a.md": NOTE,
                "text/no/b.md": NOTE,
            },
            "hugo",
            {
                "text/en": "/{slug}/",
                "text/en/blog": "/blog/{year}/{title}",
                "text/no": "/no/{slug}/",
                "text/no/blog": "/no/blog/{year}/{title}",
            },
        ),
        (
            {
                "config/_default/hugo.toml": "defaultContentLanguage = 'de'\ndefaultContentLanguageInSubdir = true",
                "config/_default/languages.toml": "[de]\ncontentDir = 'content/de'\n[fr]\ncontentDir = 'content/fr'",
                "content/de/a.md": NOTE,
                "content/fr/a.md": NOTE,
                "content/drafts/a.md": NOTE,
            },
            "hugo",
            {"content/de": "/de/{slug}/", "content/fr": "/fr/{slug}/"},
        ),
        ({"config.toml": "contentDir = 'text'", "text/a.md": NOTE}, "hugo", {"text": "/{slug}/"}),
        (
            {
                "website/docusaurus.config.ts": "docs: {routeBasePath: '/'}",
                "docs/a.md": NOTE,
                "website/blog/b.md": NOTE,
            },
            "docusaurus",
            {"docs": "/{slug}", "website/blog": "/blog/{slug}"},
        ),
        (
            {
                "mkdocs.yml": "plugins:\n  - blog:\n      post_url_format: '{file}'\nextra: {key: !ENV KEY}\nemoji: !!python/name:x.y\n",
                "docs/index.md": NOTE,
                "docs/blog/posts/a.md": NOTE,
            },
            "mkdocs",
            {"docs": "/{slug}/", "docs/blog/posts": "/blog/{stem}/"},
        ),
        (
            {"mkdocs.yml": "use_directory_urls: false\ndocs_dir: text\nplugins: [blog]", "text/blog/posts/a.md": NOTE},
            "mkdocs",
            {"text": "/{slug}.html", "text/blog/posts": "/blog/{year}/{month}/{day}/{title}.html"},
        ),
        ({"docs/conf.py": "", "docs/index.rst": "A\n="}, "sphinx", {"docs": "/{slug}.html"}),
        ({"doc/source/conf.py": "", "doc/source/index.md": NOTE}, "sphinx", {"doc/source": "/{slug}.html"}),
        (
            {"docs/html/conf.py": "", "docs/html/index.md": NOTE, "docs/man/index.rst": "A\n="},
            "sphinx",
            {"docs/html": "/{slug}.html"},
        ),
        ({"manual/source/conf.py": "", "manual/source/index.rst": "A\n="}, "sphinx", {"manual/source": "/{slug}.html"}),
        ({"docs/.vitepress/config.mts": "", "docs/a.md": NOTE}, "vitepress", {"docs": "/{slug}.html"}),
        (
            {".vitepress/config.js": "cleanUrls: true, srcDir: './src'", "src/a.md": NOTE},
            "vitepress",
            {"src": "/{slug}"},
        ),
        (
            {"docs/.vitepress/config.ts": "// base: '/a/'\nbase: '/tool/', cleanUrls: true", "docs/a.md": NOTE},
            "vitepress",
            {"docs": "/tool/{slug}"},
        ),
        (
            {
                "docusaurus.config.ts": "baseUrl: '/tool/', i18n: {}",
                "docs/a.md": NOTE,
                "i18n/de/docusaurus-plugin-content-docs/current/a.md": NOTE,
            },
            "docusaurus",
            {"docs": "/tool/docs/{slug}", "i18n/de/docusaurus-plugin-content-docs/current": "/tool/de/docs/{slug}"},
        ),
        (
            {"mkdocs.yml": "site_url: https://x.org/tool/\nplugins: [blog]", "docs/blog/posts/a.md": NOTE},
            "mkdocs",
            {"docs": "/tool/{slug}/", "docs/blog/posts": "/tool/blog/{year}/{month}/{day}/{title}/"},
        ),
        ({"quartz.config.ts": "", "content/a.md": NOTE}, "quartz", {"content": "/{slug}"}),
        (
            {
                "astro.config.mjs": "",
                "src/content.config.ts": COLLECTIONS,
                "src/data/blog/a.md": NOTE,
                "src/data/notes/a.md": NOTE,
                "src/pages/posts/[...slug]/index.astro": "",
                "src/pages/tags/[tag]/index.astro": "",
                "src/pages/notes/[id].astro": "",
                "src/pages/about.md": NOTE,
            },
            "astro",
            {"src/data/notes": "/notes/{slug}/", "src/data/blog": "/posts/{slug}/", "src/pages": "/{slug}/"},
        ),
        (
            {
                "astro.config.ts": "",
                "src/content/config.ts": "",
                "src/content/blog/a.md": NOTE,
                "src/pages/posts/[slug].astro": "",
            },
            "astro",
            {"src/content/blog": "/posts/{slug}/"},
        ),
        (
            {"astro.config.mjs": "", "package.json": '"@astrojs/starlight"', "src/content/docs/a.md": NOTE},
            "astro",
            {"src/content/docs": "/{slug}/"},
        ),
        ({".obsidian/app.json": "{}", "a.md": NOTE}, "obsidian", {".": ""}),
        ({".obsidian/app.json": "{}", "a.md": NOTE, "posts/b.md": NOTE}, "obsidian", {".": ""}),
        ({"notes/.obsidian/app.json": "{}", "notes/b.md": NOTE, "docs/c.md": NOTE}, "obsidian", {"notes": ""}),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else value,
)
def test_each_project_is_known_by_its_files(tmp_path, files, kind, folders):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    settings = load_settings(write_settings(tmp_path, None, machine=LINUX))
    assert {source.path.as_posix(): source.url for source in settings.content} == folders
    assert {source.kind for source in settings.content} == {kind}


def test_a_named_folder_of_a_project_is_taken_alone(tmp_path):
    for name in ("docusaurus.config.js", "docs/a.md", "blog/b.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(NOTE, encoding="utf-8")
    settings = load_settings(write_settings(tmp_path, tmp_path / "blog", machine=LINUX))
    assert [(source.path.name, source.kind) for source in settings.content] == [("blog", "docusaurus")]
