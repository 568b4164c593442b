import time

import pytest

from pipeline.content.kinds.astro import ASTRO
from pipeline.content.markup import clean


def text_of(markdown):
    return clean(markdown, kind=ASTRO, mdx=True).text


@pytest.mark.parametrize(
    "statement",
    [
        "import A from 'a'",
        'import { A, B } from "../b.astro";',
        "import {\n  A,\n\n  B,\n} from 'b';",
        "import './style.css'",
        "import * as all from 'x'\nimport data from './d.json' with { type: 'json' }",
        "export const meta = { title: 'don\\'t }' }",
        "export const meta = {\n  a: [1,\n\n  2],\n}",
        "export const list = `\n}`\nexport { list }",
        "export default ({ children }) => <Layout>{children}</Layout>",
        "export function f() {\n\n  return <p>Don't</p>;\n}",
    ],
)
def test_statements_go(statement):
    assert text_of(f"{statement}\n\nText.\n") == "Text."
    assert text_of(f"# Title\n\n{statement}\n\nText.\n") == "# Title\n\nText."


def test_an_import_straight_above_text_takes_only_its_line():
    assert text_of("import A from 'a'\n# Title\nText") == "# Title\nText"


def test_words_that_look_like_statements_stay():
    text = "Import duties rose.\n\nWe\nimport tea and\nexport coffee.\n\nexport of tea"
    assert text_of(text) == text


@pytest.mark.parametrize(
    ("mdx", "text"),
    [
        ("<Aside>Mind the **gap**</Aside>", "Mind the **gap**"),
        ("A <Badge text='new' /> thing", "A  thing"),
        ("<Card title=\"Fast\" icon='x'>\n  It is.\n</Card>", "Fast\n\nIt is."),
        ("<LinkCard title='Guide' description='All of it' />", "Guide – All of it"),
        ("<A b={c > d ? '}' : `>`} c='>'>in</A>", "in"),
        ("<></>text<>more</>", "textmore"),
        ("<Foo.Bar>x</Foo.Bar>", "x"),
        ("a {1 + 1} b {'words'} c {/* secret > */} d", "a  b words c  d"),
        ("{list.map((x) => <li>Don't {x}</li>)}done", "done"),
        ("{show && <p>https://x.org }</p>}", "}"),
        ("a \\{b} \\<c> 1 < 2", "a \\{b} \\<c> 1 < 2"),
        ("<Image src={cat} alt='A cat' />", "A cat"),
        ("<script>alert(1)</script><style>{`p {}`}</style>x", "x"),
        ("a {unclosed", "a {unclosed"),
        ("a {/* never closed", "a "),
        ("a { /* never closed } b", "a "),
        ("If 3 < 4 and 5 > 2 then", "If 3 < 4 and 5 > 2 then"),
        ("[x](<https://ex.org/a_(b)>) [y](<my file.md>)", "[x](<https://ex.org/a_(b)>) [y](<my file.md>)"),
        ("See [x].\n\n[x]: <my file.md> 'y'", "See [x](<my file.md>)."),
        ("<https://ex.org> <me@ex.org>", "<https://ex.org> <me@ex.org>"),
        ("It is $\\frac{a}{b}$, {x}", "It is $\\frac{a}{b}$,"),
        ("$$\n\\sum_{i=1}^{n} x_i < {y}\n$$", "$$\n\\sum_{i=1}^{n} x_i < {y}\n$$"),
        ("From $5 {x} to $6 {y}", "From $5  to $6"),
        ("$a${/* SECRET */}$b$", "$a$$b$"),
    ],
)
def test_components_and_expressions_go_and_words_stay(mdx, text):
    assert text_of(mdx).split() == text.split()


def test_code_in_components_stays_as_it_is():
    mdx = "<Tabs>\n  <TabItem label='js'>\n    Run `<b>{x}</b>`:\n\n    ```js\n    import x from 'y'\n      <Foo/>{x}\n    ```\n  </TabItem>\n</Tabs>\n\nEnd"
    assert text_of(mdx) == "js\n\nRun `<b>{x}</b>`:\n\n```js\nimport x from 'y'\n  <Foo/>{x}\n```\n\nEnd"


def test_lists_in_components_keep_their_depth():
    assert (
        text_of("<Steps>\n    1. a\n       - b\n    2. c\n</Steps>\n- d\n  - e") == "1. a\n   - b\n2. c\n\n- d\n  - e"
    )


FENCE = "{i}```js\n{i}import x from 'y'\n\n{i}  const a = {{ b: <C/> }}\n{i}```\n"


@pytest.mark.parametrize("indent", [0, 2, 4, 5, 8])
@pytest.mark.parametrize(
    "around",
    [
        "<Tabs>\n{fence}</Tabs>",
        "<Tabs>\n  <TabItem label='js'>\n{fence}  </TabItem>\n</Tabs>",
        "<Tabs>\n\n{fence}\n</Tabs>",
        "<Card\n  title='js'\n  icon={{<I />}}\n>\nWords:\n{fence}</Card>",
        "<A><B><C>\n{fence}</C></B></A>",
    ],
)
def test_a_fence_is_code_whatever_encloses_it(around, indent):
    mdx = around.format(fence=FENCE.format(i=" " * indent)) + "\n\n## Mooring\n\nTie up."
    text = text_of(mdx)
    assert FENCE.format(i="").strip() in text
    assert text.endswith("\n\n## Mooring\n\nTie up.")


def test_components_in_lists_stay_in_their_item():
    mdx = (
        "<Steps>\n1.  Add it:\n\n    <Tabs>\n      <TabItem label='npm'>\n        ```sh\n        npm i\n        ```\n"
        "      </TabItem>\n    </Tabs>\n\n    :::note[Mind]\n    Then go on.\n    :::\n2.  End.\n</Steps>"
    )
    assert (
        text_of(mdx)
        == "1.  Add it:\n\n    npm\n\n    ```sh\n    npm i\n    ```\n\n    **Mind**\n\n    Then go on.\n\n2.  End."
    )


def test_indented_headings_in_components_are_headings():
    assert text_of("<Box>\n      ### Try it\n\n      Go.\n</Box>\nEnd") == "### Try it\n\nGo.\n\nEnd"


def test_code_keeps_the_white_space_at_the_ends_of_its_lines():
    assert text_of("<A>\n  ```\n  a  \n\n  b\t\n  ```\n</A>") == "```\na  \n\nb\t\n```"


@pytest.mark.parametrize(
    "noise", ["{", "<a ", "{/*", "`", "<script", "<!--", "[[", "![", "(", "export const a = {\n\n"]
)
def test_no_garbage_takes_long(noise):
    started = time.perf_counter()
    text_of(noise * 5000)
    assert time.perf_counter() - started < 5
