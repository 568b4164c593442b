import pytest

from pipeline.content.globs import first_match


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*.md", "a/b/c.md"),
        ("journal", "journal/2024/x.md"),
        ("journal/", "notes/journal/x.md"),
        ("journal/**", "journal/2024/x.md"),
        ("./journal/*.md", "journal/x.md"),
        ("/journal", "journal/x.md"),
        ("**/secret*", "secret plan.md"),
        ("**/secret*", "a/b/secrets/x.md"),
        ("a/**/b.md", "a/b.md"),
        ("a/**/b.md", "a/x/y/b.md"),
        ("{drafts,old}/**", "old/x.md"),
        ("Journal/**", "journal/x.md"),
        ("[slug].md", "[slug].md"),
        ("202[0-4]/*", "2023/x.md"),
        ("[!a]/*", "b/x.md"),
        ("caf\u00e9/*", "cafe\u0301/x.md"),
        ("a?c.md", "abc.md"),
        ("(x) + $.md", "(x) + $.md"),
    ],
)
def test_matches(pattern, path):
    assert first_match(path, ["never/this", pattern]) == pattern


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("posts/*.md", "posts/deep/x.md"),
        ("posts/*.md", "other/posts/x.md"),
        ("journal", "journals/x.md"),
        ("a?c.md", "a/c.md"),
        ("[!a]/*", "a/x.md"),
        ("*.md", "a.mdx"),
        ("", "a.md"),
    ],
)
def test_does_not_match(pattern, path):
    assert first_match(path, [pattern]) is None
