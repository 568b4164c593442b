"""Front matter: where it ends, and the values that a document takes from it."""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import yaml

from pipeline.content.slugs import plain_text
from pipeline.errors import ContentError

_OPENING = re.compile(r"\s*^(?P<fence>---|\+\+\+)[ \t]*(?P<language>\w*)[ \t]*\n", re.MULTILINE)
_OBJECT = re.compile(r"\s*\{(?=\s*\n\s*(?:\"[\w-]+\"\s*:|\}))")
_ENTRY = re.compile(r"[ \t]*[\w\"'-][\w \"'.-]{0,200}[ \t]{0,20}[:=](\s|$)")
_DATES = (
    "date",
    "pubdate",
    "publishdate",
    "publishedat",
    "published",
    "pubdatetime",
    "created",
    "updated",
    "updateddate",
    "lastmod",
)
_WRITTEN = ("%b %d %Y", "%B %d %Y", "%d %b %Y", "%d %B %Y", "%Y/%m/%d", "%Y.%m.%d")
_PATH_DATE = re.compile(
    r"(?:^|/)(?P<y>(?:19|20)\d\d)(?:-|/)(?P<m>0[1-9]|1[0-2])(?:(?:-|/)(?P<d>0[1-9]|[12]\d|3[01]))?(?=[-_ /.]|$)"
)


class BrokenError(ContentError):
    """Front matter that ends where it should but can't be parsed: `block` is what stands in it, `body` below it."""

    def __init__(self, message: str, block: str, body: str) -> None:
        super().__init__(message)
        self.block, self.body = block, body


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """The safe loader, but a key is the text that it looks like, also `no:` and `404:`, and so is the value `2023-02-30`."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                key.tag = "tag:yaml.org,2002:str"
        return super().construct_mapping(node, deep)


def _timestamp(loader: Any, node: yaml.ScalarNode) -> Any:
    try:
        return loader.construct_yaml_timestamp(node)
    except ValueError:
        return loader.construct_scalar(node)


_Loader.add_constructor("tag:yaml.org,2002:timestamp", _timestamp)


def split_front_matter(text: str) -> tuple[dict[str, Any], str]:
    """The values of the block between the first `---` (YAML, TOML, JSON) or `+++` (TOML) lines, or of the JSON object that
    `text` begins with, and the text below it.

    Keys are text. Without such a block the values are {} and the text is whole.

    Raises:
        BrokenError: the block can't be parsed, or names a key twice.
        ContentError: it never ends, or is in a language that is not read.
    """
    opening = _OPENING.match(text)
    if not opening:
        return _json_above(text)
    fence, language = opening["fence"], opening["language"].lower()
    if language not in ("", "yaml", "yml", "toml", "json"):
        raise ContentError(f"front matter in {language} is not read: write it as YAML between two --- lines")
    rest = text[opening.end() :]
    has_entries = any(map(_ENTRY.match, re.split(r"\n[ \t]*\n", f"\n{rest}", maxsplit=1)[0].split("\n")))
    # YAML's own mark of an end counts too, as Jekyll has it
    ends = r"(?:---|\.\.\.)" if fence == "---" and has_entries else re.escape(fence)
    closing = re.search(rf"^{ends}[ \t]*$\n?", rest, re.MULTILINE)
    if not closing:
        if fence == "---" and not has_entries:
            return {}, text  # a rule above the text
        raise ContentError(f"front matter is never closed: add a line {fence} below it")
    block, body = rest[: closing.start()], rest[closing.end() :]
    try:
        return _PARSERS.get("toml" if fence == "+++" else language, parse_yaml)(block), body
    except ContentError as error:
        raise BrokenError(str(error), block, body) from None


def _toml(block: str) -> dict[str, Any]:
    try:
        return tomllib.loads(block)
    except tomllib.TOMLDecodeError as error:
        raise ContentError(f"front matter is not valid TOML ({error}): mend it") from None


def _json(block: str) -> dict[str, Any]:
    try:
        values = json.loads(block)
    except json.JSONDecodeError as error:
        raise ContentError(f"front matter is not valid JSON ({error}): mend it") from None
    if not isinstance(values, dict):
        raise ContentError("front matter in JSON is no object: put { and } around it")
    return values


def _json_above(text: str) -> tuple[dict[str, Any], str]:
    """The object that `text` begins with, as Hugo has it, and the text below it."""
    opening = _OBJECT.match(text)
    if not opening:
        return {}, text
    try:
        values, end = json.JSONDecoder().raw_decode(text, opening.end() - 1)
    except json.JSONDecodeError as error:
        raise ContentError(f"front matter is not valid JSON ({error}): mend it") from None
    return values, text[end:].removeprefix("\n")


def load_yaml(text: str) -> Any:
    """What stands in `text`, read safely, with keys as text.

    Raises:
        yaml.YAMLError, ValueError, RecursionError: it can't be read.
    """
    return yaml.load(text, _Loader)


def parse_yaml(block: str) -> dict[str, Any]:
    """The values of `block`, keys as text.

    Raises:
        ContentError: it is not valid, no mapping, or names a key twice.
    """
    loader = _Loader(block)
    try:
        node = loader.get_single_node()
        values = loader.construct_document(node) if node else {}
    except yaml.YAMLError as error:
        raise ContentError(f"front matter is not valid YAML ({_problem(error)}): mend it") from None
    except (ValueError, RecursionError) as error:
        raise ContentError(f"front matter holds a value that can't be read ({error}): mend it") from None
    finally:
        loader.dispose()
    if not isinstance(values, dict):
        raise ContentError(
            "the block between the first two --- lines is not `key: value`: mend it, or write the rule as ***"
        )
    keys = Counter(str(key.value) for key, _ in (node.value if node else ()))
    if repeated := next((key for key, times in keys.items() if times > 1), None):
        raise ContentError(f"front matter names {repeated!r} twice: keep one of the two")
    return values


def _problem(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = str(getattr(error, "problem", None) or error).partition("\n")[0]
    # counted from the file's first line, which is the ---
    return f"line {mark.line + 2}: {problem}" if mark else problem


_PARSERS = {"toml": _toml, "json": _json}


def title_of(values: Mapping[str, Any]) -> str:
    """The front matter's title as plain words; "" when there is none."""
    title = lookup(values, "title")
    if not isinstance(title, str | int | float | date) or isinstance(title, bool):
        return ""
    words = plain_text(re.sub(r"\[\[(?:[^\[\]]*\|)?([^\[\]|]+)\]\]", r"\1", str(title)))
    return words if re.search(r"\w", words) else ""


def words_of(values: Mapping[str, Any], key: str) -> str:
    """The value of `key` as it stands there, also a number or a day; "" for what is no single value."""
    value = lookup(values, key)
    return str(value).strip() if isinstance(value, str | int | float | date) and not isinstance(value, bool) else ""


def tags_of(values: Mapping[str, Any]) -> list[str]:
    """Tags without their hash, in order; a text is split at commas and spaces, other kinds of value are left out."""
    found = [lookup(values, key) for key in ("tags", "tag")]
    items = [item for value in found for item in as_list(value)]
    return [tag for item in items if isinstance(item, str | int | float) and (tag := str(item).strip().lstrip("#"))]


def as_list(value: Any) -> list[Any]:
    """A list as it is, a text split at commas and spaces, [] for another kind of value."""
    return value if isinstance(value, list) else re.split(r"[,\s]+", value) if isinstance(value, str) else []


def date_of(values: Mapping[str, Any], path: str) -> date | None:
    """The day a document is of: the first date of its front matter, else one that `path` spells out as YYYY/MM or YYYY-MM-DD."""
    named = (as_date(lookup(values, key)) for key in _DATES)
    return next((day for day in named if day), None) or path_date(path)


def as_date(value: Any) -> date | None:
    """`value` as a day, as it is written (no change of time zone); None when it is no date."""
    if isinstance(value, Mapping):  # of a blog of MkDocs
        return as_date(value.get("created"))
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if not isinstance(value, str):
        return None
    text = value.strip().strip("[]")
    for pattern in ("%Y-%m-%d", *_WRITTEN):
        part = text[:10] if pattern == "%Y-%m-%d" else " ".join(text.replace(",", " ").split())
        try:
            return datetime.strptime(part, pattern).date()
        except ValueError:
            continue
    return None


def path_date(path: str) -> date | None:
    """The day that `path` spells out as YYYY/MM (its first) or YYYY-MM-DD; None when there is none."""
    found = _PATH_DATE.search(path)
    if not found:
        return None
    try:
        return date(int(found["y"]), int(found["m"]), int(found["d"] or 1))
    except ValueError:
        return None


def lookup(values: Mapping[str, Any], key: str) -> Any:
    """The value of `key`, whatever its case and its hyphens or underscores; None when it isn't there."""
    return next((value for name, value in values.items() if fold(name) == key), None)


def with_inherited(own: Mapping[str, Any], inherited: Mapping[str, Any]) -> dict[str, Any]:
    """`own` and, of `inherited`, what `own` says nothing about, whatever the way of writing a key."""
    said = set(map(fold, own))
    return {**{key: value for key, value in inherited.items() if fold(key) not in said}, **own}


def fold(key: str) -> str:
    """A key in one way of writing: `isDraft`, `is-draft` and `is_draft` are the same."""
    return re.sub(r"[-_ ]", "", key).casefold()
