"""Code is kept letter by letter: it is taken out before a text is cleaned and put back after."""

import re
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.token import Token

# noncharacters of Unicode: no text that people exchange holds them
OPEN, CLOSE = "\ufdd0", "\ufdd1"
_RESERVED = re.compile("[\ufdd0-\ufdd2]")
PLACEHOLDER = re.compile(f"{OPEN}(\\d+){CLOSE}")

_BLOCK = re.compile(f"([^{OPEN}]*){OPEN}(\\d+){CLOSE}[ \\t]*")
_PARAGRAPH_END = re.compile(f"(\n[ \\t]*\n|{OPEN}\\d+{CLOSE})")

_MARKDOWN = MarkdownIt("commonmark").disable("inline")
# MDX has neither indented code nor HTML: a fence inside a component is a fence
_MDX = MarkdownIt("commonmark").disable(["inline", "code", "html_block"])


@dataclass(slots=True)
class Masked:
    """A text whose code is replaced by numbered placeholders."""

    text: str
    pieces: list[str] = field(default_factory=list)

    def hide(self, piece: str) -> str:
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
        return "\n".join([block[1] + first, *((indent + piece).rstrip() for piece in rest)])


def mask_code(text: str, *, mdx: bool = False) -> Masked:
    """`text` with code blocks (one placeholder a line) and code spans out of the way; HTML blocks lose their indent."""
    masked = Masked(_RESERVED.sub("", text))
    lines = masked.text.split("\n")
    # from the end, so that the line numbers of the blocks above stay true
    for token in reversed((_MDX if mdx else _MARKDOWN).parse(masked.text)):
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
