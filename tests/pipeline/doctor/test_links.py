from pathlib import Path

import pytest

from pipeline.doctor.links import compare_links
from pipeline.errors import SitetwinError
from pipeline.settings import ContentSource, Settings


@pytest.fixture
def settings(tmp_path):
    for name in ("gate", "My Fence", "hut"):
        (tmp_path / "notes" / f"{name}.md").parent.mkdir(exist_ok=True)
        (tmp_path / "notes" / f"{name}.md").write_text("Text.", encoding="utf-8")
    (tmp_path / "notes" / "secret.md").write_text("---\ndraft: true\n---\nText.", encoding="utf-8")
    source = ContentSource(path=Path("notes"), kind="hugo", url="https://x.org/notes/{slug}/")
    return Settings(root=tmp_path, content=[source])


def write(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def test_what_no_page_has_is_named_with_the_nearest(settings):
    locations = [
        "https://x.org/",
        "https://x.org/notes/gate/",
        "https://x.org/notes/my-fence/",
        "https://x.org/old/hut/",
    ]
    write(settings.root / "public/sitemap.xml", "".join(f"<url><loc>{one}</loc></url>" for one in locations))
    found, hut = compare_links(settings, None)
    assert (found.state, found.text.partition(" addresses")[0]) == ("missing", "2 of 3")
    assert "url" in found.mend
    assert (hut.name, hut.text) == ("notes/hut.md", "https://x.org/notes/hut/ is no page: the nearest is /old/hut")


def test_a_sitemap_of_sitemaps_and_pages_without_a_sitemap(settings):
    write(settings.root / "dist/sitemap-index.xml", "<sitemap><loc>https://x.org/sitemap-0.xml</loc></sitemap>")
    write(
        settings.root / "dist/sitemap-0.xml",
        "<loc>https://x.org/notes/gate</loc><loc>https://x.org/notes/hut</loc><loc>https://x.org/notes/my-fence</loc>",
    )
    assert [finding.state for finding in compare_links(settings, None)] == ["ok"]
    for page in ("gate/index.html", "my-fence.html", "hut/index.html"):
        write(settings.root / "out/notes" / page, "<p>")
    assert [finding.state for finding in compare_links(settings, settings.root / "out")] == ["ok"]


def test_without_a_built_site_the_next_step_is_said(settings):
    with pytest.raises(SitetwinError, match="build it"):
        compare_links(settings, None)
    with pytest.raises(SitetwinError, match="is not there"):
        compare_links(settings, settings.root / "nowhere")
    (settings.root / "dist").mkdir()
    with pytest.raises(SitetwinError, match="build the site first"):
        compare_links(settings, None)
