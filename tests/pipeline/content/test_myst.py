import pytest

from pipeline.content.myst import drop_directives


@pytest.mark.parametrize(
    ("markdown", "right"),
    [
        ("(start)=\n# Start\n% a note\nText", "\n# Start\n\nText"),
        ("```{note}\nMind the gap.\n```\nb", "\n**Note**\n\nMind the gap.\n\nb"),
        ("```{admonition} Own title\n:class: tip\n\nMind.\n```", "\n**Own title**\n\nMind.\n"),
        (":::{tip}\nMind.\n\n```python\nx = 1\n```\n:::", "\n**Tip**\n\nMind.\n\n```python\nx = 1\n```\n"),
        ("::::{tab-set}\n:::{tab-item} Linux\nmake\n:::\n::::", "\n\n**Linux**\n\nmake\n\n"),
        ("```{code-block} python\n:linenos:\n\nx = {1}`a`\n```", "```python\n\nx = {1}`a`\n```"),
        ("```{code-cell} ipython3\nprint()\n```", "```ipython3\nprint()\n```"),
        ("```{math}\n:label: x\na^2\n```", "$$\na^2\n$$"),
        ("a\n```{toctree}\n:maxdepth: 2\n\nintro\n```\nb", "a\n\nb"),
        ("```{eval-rst}\n.. note:: Mind *it*.\n```", "\nMind it.\n"),
        ("See {ref}`the start <start>`, {doc}`/user/quick` and {func}`~a.b.c`.", "See the start, user/quick and `a.b.c`."),
        ("See {ref}`the\n start <x>` and {kbd}`Ctrl`", "See the\n start and Ctrl"),
        ("````\n```{note}\nkept\n```\n````", "````\n```{note}\nkept\n```\n````"),
        ("Never closed\n```{note}\na", "Never closed\n\n**Note**\n\na"),
    ],
)  # fmt: skip
def test_directives_and_roles_leave_their_words(markdown, right):
    assert drop_directives(markdown) == right


def test_it_is_linear():
    assert drop_directives("{a}`" * 50_000).count("`") == 50_000
    assert drop_directives("```{note}\n" * 3_000).count("**Note**") == 3_000
