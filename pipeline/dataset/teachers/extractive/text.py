"""Reads what can be quoted from a chunk's Markdown: statements that are clear alone, items, steps, tables."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from markdown_it import MarkdownIt

from pipeline.content.structure import SectionPiece, parse_sections
from pipeline.dataset.records import PairSource
from pipeline.text.detecting import is_english
from pipeline.text.function_words import FUNCTION_WORDS
from pipeline.text.languages.scripts import UNSPACED
from pipeline.text.sentences import sentences
from pipeline.text.words import written_words

LONGEST_SENTENCE, LONGEST_STATEMENT = 320, 480
"""Most characters of an answer."""
SHORTEST_STATEMENT = 25
MOST_SENTENCES = 3

_INLINE = MarkdownIt("commonmark").enable("strikethrough")
_REFERENCE = re.compile(r"(?P<code>`+[^`]+`+)|\[(?P<text>(?:[^\[\]`]|`[^`]*`)+)\]\[[^\[\]]*\]")
"""A link whose address stands elsewhere in the document, `[text][name]` or `[text][]`, outside of code."""
_MARK = re.compile(r"^\s*(?:[-*+]|(\d+)[.)])\s+(?:\[[ xX]\]\s+)?")
_END = re.compile(r"[.!?…。！？؟।۔][\"”’')\]*]*(?:\s*(?:[:;][-']?[()DPp/|]|<3|\W{1,3}))?$")
_UNSPACED = re.compile(f"[{UNSPACED}]")
_RULE = re.compile(r"[\s:|-]*-[\s:|-]*")

_PRONOUNS = "it|its|it's|it'll|they|them|their|they're|he|she|his|her|him|this|that|these|those|such|ones?"
_LEANS = re.compile(
    rf"(?:{_PRONOUNS}|(?:sometimes|often|usually|maybe|perhaps) (?:{_PRONOUNS})|that's|here|there's|here's|then|so|but|and|or|nor|yet|however|also|therefore|thus|hence|instead|otherwise|both"
    r"|either|neither|another|others?|same|again|finally|next|lastly|firstly|secondly|first|second|third|back (?:when|then)|afterwards?|later"
    r"|meanwhile|besides|moreover|furthermore|additionally|likewise|similarly|still|though|yes|no|nope|not|sure|some|most"
    r"|many|each|one|none|all|even|except|only|once|maybe|perhaps|because|which|where|who|apart|until then"
    r"|(?:\w+ )?(?:for|in|at|with|by|from|to|after|before|because of|due to|on|like|unlike|given|from) (?:this|that|these|those|it|them|example|instance"
    r"|addition|fact|particular|general|contrast|there|here|both|all|comparison|any case|other words|the end|the process)"
    r"|now|today|last (?:time|week|month|year)|an? \w+ or two ago|yesterday|as (?:a result|an example|such|well|always|mentioned|before|you can see|expected|an aside)|on the (?:other hand|plus side|contrary)"
    r"|at (?:the same|least)|the (?:former|latter|same|others?|first|second|third|last|only|rest|reasons?|result|results|problem|issue|idea"
    r"|solution|conclusion|difference|exceptions?|following|end|answer|point|downside|upside|catch|trick)"
    r"|what's (?:weird|more|worse)|tl;dr|update|edit|source|note|p\.?s|a (?:few|couple|note|word|quick)|oh|two|three|four|five|several|anyway|e\.g|i\.e)(?![\w-])",
    re.IGNORECASE,
)
_INNER = re.compile(
    r"\b(?:it|it's|its|they|they're|them|their|he|she|him|this|these|those|both|that one)\b", re.IGNORECASE
)
_LEANS_ANYWHERE = re.compile(
    r"\b(?:this|these|those|that)[.,;!?]|\b(?:using|by|with|of|for|from|during|after|before|besides|without|at|on top of|due to) that\b(?! I\b)"
    r"|\beven (?:further|more so|better than that)\b|\blikewise\b|\bas I (?:said|mentioned|wrote|noted|explained)\b|^oh\b|\bthe (?:second|third|latter|former)\b(?! (?:time|half|year|day|week))"
    r"|\bthough,|\b(?:is|are|was|were|feels|looks) (?:\w+ )?similar(?! (?:to|in)\b)|^The [a-z]+ (?:was|were|had been)\b|\benables this\b|\b(?:another|other) (?:reason|way|example|thing) is\b|\bknown as this\b",
    re.IGNORECASE,
)
_FURTHER = re.compile(
    r"\b(?:with|of|for|to|about|than|like|at|by|alleviate|all|because) (?:this|these|those|them)\b", re.IGNORECASE
)
_OF_THE_POST = re.compile(
    r"\b(?:this|the rest of the) (?:\w+ )?(?:post|article|essay|section|page|chapter|newsletter|episode|series|tutorial|talk|report|update)\b"
    r"|\bin a (?:moment|bit|minute|second|future (?:post|article))\b|\bhere (?:you|we) go\b|\bshout[- ]?out\b|\bhave to say\b|\bread on\b|\bstay tuned\b"
    r"|\b(?:I|we)(?:'m|'re| am| are)? (?:not )?(?:going to|'ll|will|won't|want to|'d like to|would like to|can|could|should|wanted to) (?:take some time to |\w+ )?"
    r"(?:talk|show|share|leave|explain|cover|walk|assume|review|discuss|mention|point out|start by|go over|go into|focus on|demonstrate|describe|tell you|write about|list|recap|invite)\b"
    r"|\b(?:I|we)'(?:ll|d like to) (?:take some time to |\w+ )?(?:talk|show|share|leave|explain|cover|walk|assume|review|discuss|mention|point out|go over|go into|focus|demonstrate|describe|tell you|write about|list|recap)\b"
    r"|\blet(?:'s| me| us)\b|\bas you (?:can )?see\b|\bwatch me\b|\bsuffice it to say\b",
    re.IGNORECASE,
)
"""What an author says of the text itself: nobody asks about it."""
_POINTS = re.compile(
    r"\b(?:above|below|the following|as follows|pictured|screenshots?|see (?:the|my|this)|mentioned|previous(?:ly)?|earlier|here's|here is"
    r"|here are|click here|\(dead link\)|aforementioned|the (?:examples?|photo|picture|image)|these are|in mind:)\b"
    r"|^(?:read|learn|find out|see|check out|visit|for) (?:more|also|further)\b|\s\.$|https?://"
    r"|\bhere\b[.,)]?$|[:,;]$|^let(?:'s| me| us)\b|^(?:partially |originally )?(?:sourced|taken|photo|image|credit|thanks|posted|edited)\b",
    re.IGNORECASE,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ExtractedStatement:
    """Sentences of one paragraph, word for word. The first one is clear without the sentences before it."""

    head: str
    rest: tuple[str, ...]
    heading: str
    """The innermost heading above it; "" if there is only the title."""
    paragraph: int
    """The paragraph's position below the heading in this chunk, from 0."""
    names: tuple[str, ...] = ()
    """What the author marks in `head` as a name: link texts, bold words, code."""

    @property
    def text(self) -> str:
        """All sentences, with blanks between them."""
        return " ".join((self.head, *self.rest))


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of a table: its cells by column name, in lower case."""

    cells: dict[str, str]
    heading: str


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, list item, step, piece of code, or a gap for anything else."""

    kind: Literal["paragraph", "item", "step", "code", "gap"]
    text: str
    """The text without emphasis and addresses; code with its fence."""
    heading: str
    names: tuple[str, ...] = ()
    mark: str = ""
    """`-` or the number of a list item."""


@dataclass(slots=True)
class Text:
    """The parts of a chunk that pairs are made of."""

    source: PairSource
    blocks: list[Block] = field(default_factory=list)
    rows: list[TableRow] = field(default_factory=list)

    @property
    def whole(self) -> str:
        """Title, headings and text of the chunk."""
        return "\n".join((self.source.title, self.source.heading, self.source.text))

    @property
    def is_english(self) -> bool:
        """Whether the prose of the chunk is English."""
        prose = "\n".join(block.text for block in self.blocks if block.kind != "code")
        return is_english(prose or "\n".join(cell for row in self.rows for cell in row.cells.values()))

    @property
    def statements(self) -> list[ExtractedStatement]:
        """The statements of all paragraphs, in order."""
        found: list[ExtractedStatement] = []
        for heading in dict.fromkeys(block.heading for block in self.blocks):
            own = [block for block in self.blocks if block.heading == heading and block.kind == "paragraph"]
            for place, block in enumerate(own):
                found += _statements(sentences(block.text), block, place)
        return found


def read(source: PairSource) -> Text:
    """Read the parts of a source's Markdown."""
    text = Text(source)
    above = source.heading.rpartition(" > ")[2]
    for number, section in enumerate(parse_sections(source.text, source.title)):
        heading = above if number == 0 else section.heading
        for piece in section.pieces:
            if piece.kind == "table":
                text.rows += _rows(piece.text, heading)
            else:
                text.blocks.append(_block(piece, heading))
    return text


def is_whole(sentence: str) -> bool:
    """Whether `sentence` is a complete statement that can be quoted alone."""
    return (
        4 <= _word_count(sentence)
        and len(sentence) <= LONGEST_SENTENCE
        and bool(_END.search(sentence))
        and not sentence.rstrip("\"”')").endswith("?")
        # A small letter begins a name (`sitetwin`, `nginx`) or a fragment of a sentence.
        and not (sentence[0].islower() and sentence.split()[0].lower() in FUNCTION_WORDS)
        and bool(re.match(r"\.?[\w`\"“'¿¡@]", sentence))
        and not _POINTS.search(sentence)
        and not _OF_THE_POST.search(sentence.replace("’", "'"))
        # A title, or what somebody says in a dialogue.
        and not re.match(r"How to |[A-Z][\w'’]*(?: [\w'’]+){0,2}: [A-Z]", sentence)
        and sentence.count("(") == sentence.count(")")
        and sentence.count("`") % 2 == 0
    )


def _word_count(sentence: str) -> int:
    """The number of words; in a script without spaces, such as Chinese, of those that a dictionary finds."""
    return len(written_words(sentence) if _UNSPACED.search(sentence) else sentence.split())


def points_back(sentence: str) -> bool:
    """Whether `sentence` begins with words that refer to the text before it."""
    return bool(_LEANS.match(sentence.lstrip("(\"“'")))


def leans(sentence: str) -> bool:
    """Whether `sentence` needs the one before it: it points back, or has a pronoun near its beginning."""
    begin = " ".join(sentence.split()[:8])
    further = " ".join(sentence.split()[:12])
    return points_back(sentence) or bool(
        _INNER.search(begin) or _FURTHER.search(further) or _LEANS_ANYWHERE.search(sentence)
    )


def _statements(found: Sequence[str], block: Block, place: int) -> Iterator[ExtractedStatement]:
    position = 0
    while position < len(found):
        head = found[position]
        position += 1
        # `Add..., and enter` is one sentence in spite of its dots.
        is_cut = position < len(found) and re.match(r"[,;]|[a-z]+ ", found[position]) and head.endswith(("...", "…"))
        if leans(head) or not is_whole(head) or is_cut:
            continue
        rest: list[str] = []
        while position < len(found) and len(rest) + 1 < MOST_SENTENCES:
            following = found[position]
            length = len(" ".join((head, *rest, following)))
            if not leans(following) or not is_whole(following) or length > LONGEST_STATEMENT:
                break
            rest.append(following)
            position += 1
        if len(" ".join((head, *rest))) >= SHORTEST_STATEMENT:
            yield ExtractedStatement(
                head, tuple(rest), block.heading, place, tuple(name for name in block.names if name in head)
            )


def prose(markdown: str) -> tuple[str, tuple[str, ...]]:
    """The words of a block, with code still marked, and the names that are marked in it as links, bold or code."""
    markdown = _REFERENCE.sub(_as_link, re.sub(r"\[\^[^\]\s]+\]", "", markdown))
    tokens = _INLINE.parseInline(markdown)[0].children or []
    pieces: list[str] = []
    names: list[str] = []
    opened: list[int] = []
    for token in tokens:
        if token.type in ("link_open", "strong_open"):
            opened.append(len(pieces))
        elif token.type in ("link_close", "strong_close") and opened:
            names.append("".join(pieces[opened.pop() :]).strip())
        elif token.type == "code_inline":
            pieces.append(f"{token.markup}{token.content}{token.markup}")
            names.append(pieces[-1])
        elif token.type in ("softbreak", "hardbreak"):
            pieces.append(" ")
        elif token.type not in ("html_inline", "image"):
            pieces.append(token.content)
    return re.sub(r"\s+", " ", "".join(pieces)).strip(), tuple(dict.fromkeys(filter(None, names)))


def _as_link(found: re.Match[str]) -> str:
    return found["code"] or f"[{found['text']}](#)"


def _block(piece: SectionPiece, heading: str) -> Block:
    if piece.kind in ("fence", "code_block"):
        code = piece.text if piece.kind == "fence" else f"```\n{piece.text}\n```"
        return Block("code", code, heading)
    if piece.kind == "paragraph":
        text, names = prose(_without_captions(piece.text))
        return Block("paragraph", text, heading, names)
    if piece.kind == "list_item":
        mark = _MARK.match(piece.text)
        inner = piece.text[mark.end() :] if mark else piece.text
        # An item with lists, code or paragraphs of its own can't be quoted in one line.
        if not piece.whole and not re.search(r"\n\s*\n|\n\s*(?:[-*+]|\d+[.)])\s", inner):
            text, names = prose(inner)
            number = mark[1] if mark else None
            return Block("step" if number else "item", text, heading, names, f"{number}." if number else "-")
    # Quotations are other people's words.
    return Block("gap", "", heading)


def _without_captions(paragraph: str) -> str:
    """The paragraph without a picture's description: a short line without an end, and a line with a colon before it."""
    kept: list[str] = []
    lines = paragraph.split("\n")
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        begins = not kept or re.search(r"[.!?:]$", kept[-1])
        if begins and len(line) < 60 and not _END.search(line) and re.match(r"[A-Z]", following):
            if kept and kept[-1].endswith(":"):
                del kept[-1]
            continue
        kept.append(line)
    return "\n".join(kept)


def _rows(table: str, heading: str) -> Iterator[TableRow]:
    lines = [_cells(line) for line in table.strip("\n").split("\n") if not _RULE.fullmatch(line)]
    head = [cell.lower() for cell in lines[0]]
    for cells in lines[1:]:
        yield TableRow(dict(zip(head, cells, strict=False)), heading)


def _cells(line: str) -> list[str]:
    return [prose(cell.replace("\\|", "|"))[0] for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))]
