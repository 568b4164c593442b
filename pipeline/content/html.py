"""HTML inside Markdown: the tags go, the words stay."""

import re
from html import unescape

from markdown_it.common.html_blocks import block_names
from markdown_it.common.html_re import close_tag, open_tag

_UNSHOWN = re.compile(r"(?<!\\)<((?i:script|style)|template)\b")
# as Vue and web components have it: an attribute may begin with @ or #
_ATTRIBUTES = r"(?:\s+[@#:A-Za-z_][^\s=<>\"'/`]*(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'=<>`]+))?)"
# with attributes as people write them too, without a space between two
_SLOPPY = r"<(?:iframe|embed|object|video|audio|source|img|div|span|table|form|input|button)\s[^<>]*=[^<>]*>"
_TAG = re.compile(
    rf"(?<!\\)(?:{open_tag}|{close_tag}|<[A-Za-z][\w-]*{_ATTRIBUTES}*\s*/?>|{_SLOPPY})|<[!?][A-Za-z][^>]*>"
)
_NAME = re.compile(r"</?([A-Za-z][\w.:-]*)")
_ATTRIBUTE = re.compile(r"""\b(title|label|description|alt)\s*=\s*(?:\{\s*)?(["'])(.*?)\2""", re.DOTALL)
_ENTITY = re.compile(r"&(?:[A-Za-z]+|#\d{1,7}|#[xX][0-9A-Fa-f]{1,6});(?![A-Za-z]+;|#\w+;)")
_MARKUP = frozenset("<>*_`[]\\#|~!\n")
_BLOCKS = frozenset(block_names) | {"br", "img"}


def drop_between(text: str, opening: str, closing: str, *, to_the_end: bool) -> str:
    """`text` without what stands between the two marks; `to_the_end`: one that is never closed hides all that follows."""
    parts, done = [], 0
    while (start := text.find(opening, done)) >= 0:
        end = text.find(closing, start + len(opening))
        if end < 0 and not to_the_end:
            break
        parts.append(text[done:start])
        done = len(text) if end < 0 else end + len(closing)
    return "".join([*parts, text[done:]])


def drop_comments(text: str) -> str:
    """`text` without `<!-- -->`; one that begins a line and is never closed hides all that follows, as in a browser."""
    text = drop_between(text, "<!--", "-->", to_the_end=False)
    return re.split(r"^ {0,3}<!--", text, maxsplit=1, flags=re.MULTILINE)[0]


def drop_unshown(text: str) -> str:
    """`text` without scripts, styles and templates; of one that is never closed, only if it begins its line, all that follows."""
    parts, done = [], 0
    while opening := _UNSHOWN.search(text, done):
        begins = text.find(">", opening.end())
        if begins < 0:
            break
        parts.append(text[done : opening.start()])
        closing = re.compile(rf"</{opening[1]}\s*>").search(text, begins)
        begins_line = not text[text.rfind("\n", 0, opening.start()) + 1 : opening.start()].strip()
        done = closing.end() if closing else len(text) if begins_line else begins + 1
    return "".join([*parts, text[done:]])


def drop_tags(text: str) -> str:
    """`text` without HTML tags; of an image its description stays. Code must be masked."""
    return _TAG.sub(_replace, text)


def replace_entities(text: str) -> str:
    """Named and numbered characters (`&nbsp;`, `&amp;`, `&#39;`) as themselves, but for those that would turn into markup."""
    return _ENTITY.sub(_character, text)


def _character(entity: re.Match[str]) -> str:
    character = unescape(entity[0]).replace("\xa0", " ")
    return entity[0] if _MARKUP & set(character) or not character.isprintable() else character


def _replace(tag: re.Match[str]) -> str:
    name = _NAME.match(tag[0])
    shown = shown_attributes(name[1], tag[0]) if name else ""
    # what a component encloses stands behind its title
    return f"{spacing(name[1])}{shown}{' ' * bool(shown and name[1][:1].isupper())}" if name else ""


def spacing(name: str) -> str:
    """What a dropped tag leaves, so that the words at its sides don't run together."""
    return " " if name.lower() in _BLOCKS else ""


def shown_attributes(name: str, attributes: str) -> str:
    """The words that a tag shows without being asked: an image's description, a component's title."""
    shown = (
        {"alt"}
        if name in ("img", "Image", "Picture")
        else {"title", "label", "description"}
        if name[:1].isupper()
        else set()
    )
    found = [" ".join(text.split()) for key, _, text in _ATTRIBUTE.findall(attributes) if key in shown and text.strip()]
    return " – ".join(found)
