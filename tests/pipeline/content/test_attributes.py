import pytest

from pipeline.content.attributes import drop_attributes


@pytest.mark.parametrize(
    ("markdown", "right"),
    [
        ("Text\n{.display-6}\n\nb", "Text\n\nb"),
        ("* toc\n{:toc}\n", "* toc\n"),
        ("> quote\n> {: .lead #top }\nb", "> quote\nb"),
        ('## 4.2 May { id="v4.2" }', "## 4.2 May {#v4.2}"),
        ("## Files { data-search-exclude }", "## Files"),
        ("- a\n\n  ### In a list {#own}", "- a\n\n  ### In a list"),
        ("## Own {.big #own}", "## Own {#own}"),
        ('[a](b){ .md-button } and ![c](d){ align=left width="3" }', "[a](b) and ![c](d)"),
        ('[a](b){:target="_blank"}.', "[a](b)."),
        ("A set {a, b} and {name} and {x=1}", "A set {a, b} and {name} and {x=1}"),
        ("## Using {children}", "## Using {children}"),
        ('{\n"a": 1\n}', '{\n"a": 1\n}'),
    ],
)
def test_attributes_go_and_braces_stay(markdown, right):
    assert drop_attributes(markdown) == right
