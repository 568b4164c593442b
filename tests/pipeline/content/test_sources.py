import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.content import read_file, read_sources
from pipeline.errors import ContentError
from pipeline.settings import ContentSource, Settings


def write(path, text="Some text."):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def states(reports):
    return {id: report.state for id, report in reports.items()}


def test_every_markdown_file_is_read_in_order(read, tmp_path):
    for name in ("b/z.md", "b/a.MDX", "a b 📝.markdown", "c.log", "é.md", "a/deep/er/x.md"):
        write(tmp_path / "notes" / name)
    reports = read()
    assert list(reports) == [
        "notes/a b 📝.markdown",
        "notes/é.md",
        "notes/a/deep/er/x.md",
        "notes/b/a.MDX",
        "notes/b/z.md",
    ]
    assert all(
        report.state == "read" and report.document.id == id and report.path == report.document.path
        for id, report in reports.items()
    )
    assert reports == read()


@pytest.mark.parametrize(
    "name",
    [
        ".hidden.md",
        ".obsidian/a.md",
        ".trash/a.md",
        ".git/a.md",
        "node_modules/x/readme.md",
        ".sitetwin/a.md",
        "~$a.md",
        "a.md~",
        ".#a.md",
        "#a.md#",
    ],
)
def test_what_is_nobodys_text_is_passed_over(read, tmp_path, name):
    write(tmp_path / "notes" / name)
    assert read() == {}


def test_exclude_and_templates_are_skipped_with_a_reason(read, tmp_path):
    for name in ("old/a.md", "Templates/b.md", "c.md"):
        write(tmp_path / "notes" / name)
    reports = read(kind="obsidian", exclude=["old/**"])
    assert states(reports) == {"notes/c.md": "read", "notes/Templates/b.md": "skipped", "notes/old/a.md": "skipped"}
    assert "'old/**'" in reports["notes/old/a.md"].reason
    assert "template" in reports["notes/Templates/b.md"].reason
    assert states(read(kind="markdown"))["notes/Templates/b.md"] == "read"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("templates.json", '{"folder": "Meta/Forms/"}'),
        ("plugins/templater-obsidian/data.json", '{"templates_folder": "Meta/Forms"}'),
    ],
)
def test_obsidians_own_settings_name_the_templates(read, tmp_path, file, text):
    write(tmp_path / "notes/.obsidian" / file, text)
    write(tmp_path / "notes/Meta/Forms/a.md")
    write(tmp_path / "notes/Templates/b.md")
    assert states(read(kind="obsidian")) == {"notes/Meta/Forms/a.md": "skipped", "notes/Templates/b.md": "read"}


@pytest.mark.parametrize("text", ["{", "[]", '{"folder": ""}'])
def test_broken_obsidian_settings_leave_the_folders_name_to_decide(read, tmp_path, text):
    write(tmp_path / "notes/.obsidian/templates.json", text)
    write(tmp_path / "notes/Templates/b.md")
    assert states(read(kind="obsidian")) == {"notes/Templates/b.md": "skipped"}


@pytest.mark.parametrize(
    ("data", "state", "reason"),
    [
        ("caf\xe9".encode("latin-1"), "failed", "save it as UTF-8"),
        (b"a\0", "failed", "NUL"),
        (b"---\ntitle: 'x\n---\ny", "read", "YAML"),
        (b"---\nwords\n---\ny", "failed", "key: value"),
        (b"", "skipped", "no text"),
        (b"---\na: 1\n---\n", "skipped", "below the front matter"),
        (b"x" * 1001, "failed", "larger than 1,000 bytes"),
        (b"> " * 400 + b"x", "read", ""),
    ],
)
def test_one_bad_file_is_reported_and_the_others_go_on(read, tmp_path, data, state, reason):
    write(tmp_path / "notes/bad.md", data)
    write(tmp_path / "notes/a.md")
    write(tmp_path / "notes/z.md")
    reports = read(max_bytes=1000)
    assert states(reports) == {"notes/a.md": "read", "notes/bad.md": state, "notes/z.md": "read"}
    assert reason in reports["notes/bad.md"].reason
    assert "\n" not in reports["notes/bad.md"].reason
    assert (reports["notes/bad.md"].document is None) == (state != "read")


def test_a_file_too_large_is_never_read(read, tmp_path):
    with write(tmp_path / "notes/big.md").open("r+b") as file:
        file.truncate(50_000_000_000)  # sparse: to read it would fill the memory
    assert states(read()) == {"notes/big.md": "failed"}


def test_links_are_reported_and_never_followed(read, tmp_path):
    notes = tmp_path / "notes"
    write(notes / "real/a.md")
    write(tmp_path / "outside/b.md")
    (notes / "loop").symlink_to(notes)
    (notes / "self.md").symlink_to("self.md")
    (notes / "self").symlink_to("self")
    (notes / "out").symlink_to(tmp_path / "outside")
    (notes / "out.md").symlink_to(tmp_path / "outside/b.md")
    (notes / "alias.md").symlink_to("real/a.md")
    (notes / "nowhere.md").symlink_to("gone.md")
    (notes / "picture.png").symlink_to(tmp_path / "outside/b.md")
    reports = read()
    assert {id.removeprefix("notes/"): report.state for id, report in reports.items()} == {
        "alias.md": "skipped",
        "loop": "skipped",
        "nowhere.md": "failed",
        "out": "skipped",
        "out.md": "skipped",
        "self": "skipped",
        "self.md": "skipped",
        "real/a.md": "read",
    }
    assert f"add a [[content]] entry for {tmp_path / 'outside'} " in reports["notes/out.md"].reason
    assert "back to itself" in reports["notes/self.md"].reason


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_does_not_hold_up_the_reading(read, tmp_path):
    os.mkfifo(tmp_path / "notes/pipe.md")
    assert states(read()) == {"notes/pipe.md": "skipped"}


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS refuses such names")
def test_a_name_that_is_no_utf8_is_reported_in_words_that_can_be_stored(read, tmp_path):
    Path(os.fsdecode(os.fsencode(tmp_path / "notes") + b"/caf\xe9.md")).write_text("x", encoding="utf-8")
    (report,) = read().values()
    assert report.state == "failed"
    assert (report.id + str(report.path)).encode("utf-8")


def test_a_file_that_vanishes_while_others_are_read_is_no_failure(tmp_path):
    first, second = write(tmp_path / "notes/a.md"), write(tmp_path / "notes/b.md")
    settings = Settings(root=tmp_path, content=[ContentSource(path=Path("notes"))])
    reports = read_sources(settings)
    assert next(reports).path == first
    second.unlink()
    assert list(reports) == []


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="gives up root's rights to be refused")
def test_unreadable_files_and_folders_are_reported(tmp_path):
    write(tmp_path / "notes/shut.md").chmod(0)
    write(tmp_path / "notes/closed/a.md").parent.chmod(0)
    write(tmp_path / "notes/open.md")
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):
        folder.chmod(0o755)
    script = (
        "import os, sys; from pathlib import Path; from pipeline.content import read_sources; from pipeline.settings import *\n"
        "b'x'.decode('utf-8-sig')  # loads the codec while that is allowed\n"
        "os.setuid(65534)\n"
        "for r in read_sources(Settings(root=Path(sys.argv[1]), content=[ContentSource(path=Path('notes'))])): print(r.id, r.state)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["notes/open.md read", "notes/shut.md failed", "notes/closed/ failed"], (
        done.stderr
    )


def test_a_missing_source_is_one_failed_report_and_the_others_are_read(tmp_path):
    write(tmp_path / "here/a.md")
    write(tmp_path / "file")
    sources = [ContentSource(path=Path(name)) for name in ("gone", "file", "here")]
    reports = list(read_sources(Settings(root=tmp_path, content=sources)))
    assert [(report.id, report.state) for report in reports] == [
        ("gone/", "failed"),
        ("file/", "failed"),
        ("here/a.md", "read"),
    ]
    assert 'path = "gone"' in reports[0].reason
    assert "sitetwin.toml" in reports[0].reason


def test_sources_of_one_name_are_told_apart(tmp_path):
    for name in ("x/docs/a.md", "y/docs/a.md", "blog/a.md"):
        write(tmp_path / name)
    sources = [ContentSource(path=Path(name)) for name in ("x/docs", "y/docs", "blog")]
    assert [report.id for report in read_sources(Settings(root=tmp_path, content=sources))] == [
        "x.docs/a.md",
        "y.docs/a.md",
        "blog/a.md",
    ]


def test_the_innermost_source_reads_a_file(tmp_path):
    write(tmp_path / "site/a.md")
    write(tmp_path / "site/journal/b.md")
    outer, inner = ContentSource(path=Path("site"), visibility="public"), ContentSource(path=Path("site/journal"))
    settings = Settings(root=tmp_path, content=[outer, inner])
    assert [(report.id, report.document.visibility) for report in read_sources(settings)] == [
        ("site/a.md", "public"),
        ("journal/b.md", "private"),
    ]
    assert read_file(settings, outer, tmp_path / "site/journal/b.md").state == "skipped"


def test_a_folder_named_twice_is_not_read_at_all(tmp_path):
    write(tmp_path / "notes/a.md")
    sources = [ContentSource(path=Path("notes"), visibility="public"), ContentSource(path=Path("notes/../notes"))]
    reports = list(read_sources(Settings(root=tmp_path, content=sources)))
    assert [(report.id, report.state) for report in reports] == [("notes/", "failed")] * 2
    assert "keep one" in reports[0].reason


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("a.md", "read"),
        ("gone.md", "failed"),
        (".x/a.md", "skipped"),
        ("a.log", "skipped"),
        ("old/a.md", "skipped"),
        ("link.md", "skipped"),
    ],
)
def test_one_file_by_the_same_rules(tmp_path, name, state):
    notes = tmp_path / "notes"
    for file in ("a.md", ".x/a.md", "a.log", "old/a.md"):
        write(notes / file)
    (notes / "link.md").symlink_to("a.md")
    source = ContentSource(path=Path("notes"), exclude=["old"])
    report = read_file(Settings(root=tmp_path, content=[source]), source, notes / name)
    assert (report.id, report.state, bool(report.reason)) == (f"notes/{name}", state, state != "read")


def test_a_file_of_no_source_is_an_error(tmp_path):
    source = ContentSource(path=Path("notes"))
    settings = Settings(root=tmp_path, content=[source])
    with pytest.raises(ContentError, match="not below"):
        read_file(settings, source, write(tmp_path / "other/a.md"))
    with pytest.raises(ContentError, match="no source"):
        read_file(settings, ContentSource(path=Path("other")), tmp_path / "other/a.md")


def test_a_source_behind_a_link_is_read(tmp_path):
    write(tmp_path / "vault/a.md")
    (tmp_path / "notes").symlink_to(tmp_path / "vault")
    source = ContentSource(path=Path("notes"))
    settings = Settings(root=tmp_path, content=[source])
    assert [report.id for report in read_sources(settings)] == ["vault/a.md"]
    assert read_file(settings, source, tmp_path / "notes/a.md").state == "read"


def test_why_there_is_no_address_is_said(read, tmp_path):
    write(tmp_path / "notes/a.md")
    (report,) = read(url="/{year}/{slug}").values()
    assert (report.state, report.document.url) == ("read", "")
    assert "no date" in report.reason


def test_two_documents_with_one_address_are_said(read, tmp_path):
    write(tmp_path / "notes/it/c/index.md")
    write(tmp_path / "notes/it/c++/index.md")
    write(tmp_path / "notes/it/d.md")
    reports = read(url="/n/{slug}")
    assert [report.document.url for report in reports.values()] == ["/n/it/d", "/n/it/c", "/n/it/c"]
    assert [report.reason for report in reports.values()] == [
        "",
        "",
        "the address /n/it/c is notes/it/c/index.md's too: give one of the two another slug",
    ]
