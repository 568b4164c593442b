import pytest

from pipeline.content.references import resolve_references


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("See [the gate][1].\n\n[1]: gate.md\n", "See [the gate](gate.md).\n\n"),
        ("See [Gate][] and [gate].\n\n[gate]: <a b.md> 'Old'", "See [Gate](<a b.md>) and [gate](<a b.md>).\n\n"),
        ('[the\ngate][long  label]\n\n  [Long label]: x\n    "Title"\n', "[the\ngate](x)\n\n"),
        ("- a [b][c]\n\n    [c]: /x\n- d", "- a [b](/x)\n\n- d"),
        ("[a [b]][c]\n\n[c]: x", "[a [b]](x)\n\n"),
        ("[a][b] [a](y) [c][d] [^1] \\[b] [b]: so\n\n[b]: x", "[a](x) [a](y) [c][d] [^1] \\[b] [b]: so\n\n"),
        ("No [link] here.\n\n[x]: two words", "No [link] here.\n\n[x]: two words"),
        ("[^1]: A note.", "[^1]: A note."),
    ],
)
def test_the_address_comes_to_the_link(text, shown):
    assert resolve_references(text, str) == shown


def test_labels_with_code_are_compared_as_they_are_written():
    text = "[<1>][] and [<2>]\n\n[<3>]: x"
    assert resolve_references(text, lambda label: "`run`" if "<" in label else label) == "[<1>](x) and [<2>](x)\n\n"
