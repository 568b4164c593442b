"""From a file's Markdown to text: what readers of the page don't see goes, their words and the code stay."""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from pipeline.content.attributes import drop_attributes
from pipeline.content.code import mask_code, mask_formulas
from pipeline.content.html import drop_between, drop_comments, drop_tags, drop_unshown, replace_entities
from pipeline.content.indented import draw_out, drop_references
from pipeline.content.kinds.kind import ContentKind
from pipeline.content.mdx import drop_components, drop_statements
from pipeline.content.references import resolve_references

_WIKILINK = re.compile(r"(!?)\[\[([^\[\]\n]+?)\]\](?!\()")
_IMAGE = re.compile(
    r"!\[((?:[^\[\]\n]|\[[^\[\]\n]*\])*)\]"
    r"(?:\((?:<[^<>\n]*>|(?:[^()\s]|\([^()\s]*\))*)(?:\s+(?:\"[^\"\n]*\"|'[^'\n]*'))?\s*\)|\[[^\[\]\n]*\])"
)
_CALLOUT = re.compile(r"^([ \t]*(?:>[ \t]*)+)\[!([\w-]+)(?:\|[^\]\n]*)?\][+-]?[ \t]*(.*)$", re.MULTILINE)
_DIRECTIVE = re.compile(r"^([ \t]*):{3,}(.*)$", re.MULTILINE)
_DIRECTIVE_WORDS = re.compile(r"\s*[\w-]*(?:\[([^\]]*)\]|\s+([^{]*))?(?:\{[^}]*\})?\s*")
# what Obsidian embeds that is no note, and what people attach beside it; any other dot is of a name, as in `v1.2`
_ATTACHMENTS = frozenset(
    "avif bmp gif heic ico jpeg jpg png svg tif tiff webp 3gp aac flac m4a mkv mov mp3 mp4 mpg ogg ogv opus wav webm"
    " pdf base canvas csv doc docx drawio epub excalidraw html ics json odp ods odt ppt pptx tsv txt xls xlsx yaml yml"
    " zip".split()
)
_DATA = r"<?data:[\w.+-]+/[^\s()<>\"']*>?"
_DATA_DEFINITION = re.compile(rf"^[ \t]*\[[^\[\]\n]+\]:[ \t]*{_DATA}[^\n]*(?:\n|\Z)", re.MULTILINE)
_DATA_LINK = re.compile(rf"\[([^\[\]\n]*)\]\({_DATA}(?:\s+[^()\n]*)?\)")
_DATA_ALONE = re.compile(rf"(?<![\w]){_DATA}")
# such as the whole program that a link to a playground carries
_LONG_ADDRESS = re.compile(r"(\bhttps?://[^\s()<>\"'#?]+)[#?][^\s()<>\"']{100,}")
_SIZE = re.compile(r"\|\d+(?:x\d+)?\Z")


@dataclass(frozen=True, slots=True)
class Body:
    text: str
    """Markdown without comments, tags, statements and components; links between notes are words."""
    tags: tuple[str, ...] = ()
    """Obsidian's `#tags` in the text, in order."""


def clean(markdown: str, *, kind: ContentKind, mdx: bool = False) -> Body:
    """The text of a file's body (without front matter, lines ending in \\n). No other file is ever read for it."""
    markdown, notes = draw_out(markdown)
    masked = mask_code(markdown, mdx=mdx)
    text = kind.drop_comments(drop_comments(masked.text))
    text = drop_unshown(text)
    if mdx:
        text = drop_between(text, "{/*", "*/}", to_the_end=True)
    if mdx or kind.has_formulas:
        text = mask_formulas(text, masked)
    text = drop_components(drop_statements(text)) if mdx else drop_tags(text)
    text = _IMAGE.sub(_image_words, _WIKILINK.sub(_linked_words, _DATA_DEFINITION.sub("", text)))
    text = resolve_references(text, masked.restore)
    text = _DATA_ALONE.sub("", _DATA_LINK.sub(r"\1", text))
    text = _LONG_ADDRESS.sub(r"\1", drop_references(text, notes))
    text = drop_attributes(text)
    text = _CALLOUT.sub(_callout_title, text)
    text = _DIRECTIVE.sub(_directive_title, text)
    text, tags = kind.read_marks(text)
    text = re.sub(r"(?<![ \t])[ \t]+$", _hard_break, replace_entities(text), flags=re.MULTILINE)
    text = re.sub(r"\n{3,}", "\n\n", re.sub(r"^ (?=\S)", "", text, flags=re.MULTILINE))
    return Body(masked.restore(text).strip("\n"), tags)


def _linked_words(link: re.Match[str]) -> str:
    """The words a reader sees for `[[note#heading|words]]`; nothing for an embedded picture or table."""
    target, _, words = link[2].replace("\\|", "|").partition("|")
    place, *headings = [part.strip() for part in target.split("#")]
    name = PurePosixPath(place).name
    if link[1]:
        if PurePosixPath(name).suffix[1:].lower() in _ATTACHMENTS:
            return ""
    elif words.strip():
        return words.strip()
    shown = [
        re.sub(r"\.(?:md|mdx|markdown)$", "", name),
        *(heading for heading in headings if not heading.startswith("^")),
    ]
    return " > ".join(part for part in shown if part)


def _image_words(image: re.Match[str]) -> str:
    return _SIZE.sub("", image[1])


def _callout_title(callout: re.Match[str]) -> str:
    return f"{callout[1]}**{callout[3].strip() or callout[2].capitalize()}**"


def _directive_title(directive: re.Match[str]) -> str:
    """The words of a line such as `:::tip[Mind the gap]{.x}`, where it is one."""
    found = _DIRECTIVE_WORDS.fullmatch(directive[2])
    title = (found[1] or found[2] or "").strip() if found else ""
    return f"{directive[1]}**{title}**\n" if title else directive[1] if found else directive[0]


def _hard_break(spaces: re.Match[str]) -> str:
    """Two spaces at a line's end are a line break, unless the line is empty."""
    before = spaces.string[: spaces.start()][-1:]
    return "  " if spaces[0].startswith("  ") and before not in ("", "\n") else ""
