"""Code is kept letter by letter: it is taken out before a text is cleaned and put back after."""

import re
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token

# noncharacters of Unicode: no text that people exchange holds them
OPEN, CLOSE = "\ufdd0", "\ufdd1"
_RESERVED = re.compile("[\ufdd0-\ufdd2]")
PLACEHOLDER = re.compile(f"{OPEN}(\\d+){CLOSE}")

_BLOCK = re.compile(f"([^{OPEN}]*){OPEN}(\\d+){CLOSE}[ \\t]*")
_PARAGRAPH_END = re.compile(f"(\n[ \\t]*\n|{OPEN}\\d+{CLOSE})")

# as pandoc has it: no space inside the dollar signs and no digit behind them
_FORMULA = re.compile(
    r"(?<![\\$])(?:\$\$(?:[^$\n]|\n(?![ \t]*\n)|(?<=\\)\$)+?\$\$|\$(?![\s$])(?:[^$\n\\]|\\.|\n(?![ \t]*\n))*?(?<!\s)\$(?![\d$]))"
)

_MARKDOWN = MarkdownIt("commonmark").disable("inline")


def _paragraph(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """markdown-it's paragraph, but a line ends it however far it is indented: MDX has no indented code."""
    rules = state.md.block.ruler.getRules("paragraph")
    line = start + 1
    while line < state.lineMax and not state.isEmpty(line):
        if state.sCount[line] >= 0 and any(rule(state, line, state.lineMax, True) for rule in rules):
            break
        line += 1
    state.line = line
    state.push("paragraph_open", "p", 1).map = [start, line]
    state.push("paragraph_close", "p", -1)
    return True


# MDX has neither indented code nor HTML: a fence inside a component is a fence. Only code and the places of blocks are
# looked for, so the rules that tell other paragraphs apart are left out.
_MDX = MarkdownIt("commonmark").disable(["inline", "code", "html_block", "lheading", "reference"])
_MDX.block.ruler.at("paragraph", _paragraph)


@dataclass(slots=True)
class Masked:
    """A text whose code is replaced by numbered placeholders."""

    text: str
    pieces: list[str] = field(default_factory=list)

    def hide(self, piece: str) -> str:
        """Keeps `piece` and returns the mark that stands for it."""
        self.pieces.append(piece)
        return f"{OPEN}{len(self.pieces) - 1}{CLOSE}"

    def restore(self, text: str) -> str:
        """`text` with the code back; a block's lines get the indent or quote mark of the line it stands in."""
        return "\n".join(map(self._restore_line, text.split("\n")))

    def _restore_line(self, line: str) -> str:
        block = _BLOCK.fullmatch(line)
        if not block or "\n" not in self.pieces[int(block[2])]:
            return PLACEHOLDER.sub(lambda found: self.pieces[int(found[1])], line)
        first, *rest = self.pieces[int(block[2])].split("\n")
        indent = re.sub(r"[^>\s]", " ", block[1])
        return "\n".join([block[1] + first, *(indent + piece if piece.strip() else indent.rstrip() for piece in rest)])


def mask_code(text: str, *, mdx: bool = False) -> Masked:
    """`text` with code blocks (one placeholder a line) and code spans out of the way; HTML blocks lose their indent.

    In MDX every block that is in no list or quote does: once the tags around it are gone, its indent would make it code.
    """
    masked = Masked(_RESERVED.sub("", text))
    lines = masked.text.split("\n")
    tokens = (_MDX if mdx else _MARKDOWN).parse(masked.text)
    if mdx:
        _move_to_margin(tokens, lines)
    # from the end, so that the line numbers of the blocks above stay true
    for token in reversed(tokens):
        if token.type == "html_block" and token.map:
            start, end = token.map
            lines[start:end] = [line.lstrip() for line in lines[start:end]]
        elif token.type in ("fence", "code_block") and token.map:
            start, end = token.map
            while end > start + 1 and not lines[end - 1].strip():
                end -= 1
            before, code = _take_apart(lines[start], token)
            lines[start:end] = [before + masked.hide(code)]
    parts = _PARAGRAPH_END.split("\n".join(lines))
    masked.text = "".join(_mask_spans(part, masked) if "`" in part else part for part in parts)
    return masked


def _move_to_margin(tokens: list[Token], lines: list[str]) -> None:
    """Takes the indent off the outermost blocks of MDX, of which the lines of a list keep their depth."""
    for token in tokens:
        if token.level == 0 and token.map and token.nesting >= 0:
            start, end = token.map
            depth = len(lines[start]) - len(lines[start].lstrip())
            for number in range(start, end):
                line = lines[number]
                indent = len(line) - len(line.lstrip())
                lines[number] = line[indent if token.type == "paragraph_open" else min(depth, indent) :]


def mask_formulas(text: str, masked: Masked) -> str:
    """`text` with what TeX it holds between dollar signs hidden in `masked`: its braces and brackets are no markup."""
    return _FORMULA.sub(lambda found: masked.hide(found[0]) if _is_formula(found[0]) else found[0], text)


def _is_formula(found: str) -> bool:
    """Whether it can't be two prices, and holds what would be taken for markup."""
    return found.count("{") == found.count("}") and bool(re.search(r"[{\[<\\]", found)) and OPEN not in found


def _take_apart(line: str, token: Token) -> tuple[str, str]:
    """What stands before the code in its first `line`, and the whole block without that."""
    if token.type == "fence":
        return line[: line.find(token.markup)], f"{token.markup}{token.info}\n{token.content}{token.markup}"
    code = token.content.rstrip("\n")
    return line[: len(line) - len(code.partition("\n")[0])], code


def _mask_spans(paragraph: str, masked: Masked) -> str:
    """`paragraph` with every code span hidden: it ends at the next run of as many backticks as opened it."""
    runs = list(re.finditer("`+", paragraph))
    places = defaultdict(list)
    for run in runs:
        places[len(run[0])].append(run.start())
    parts, done = [], 0
    for run in runs:
        if run.start() < done or paragraph[max(run.start() - 1, 0) : run.start()] == "\\":
            continue
        same = places[len(run[0])]
        after = bisect_right(same, run.start())
        if after < len(same):
            end = same[after] + len(run[0])
            parts += [paragraph[done : run.start()], masked.hide(paragraph[run.start() : end])]
            done = end
    return "".join([*parts, paragraph[done:]])
