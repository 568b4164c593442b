"""The files of a generator that say something about many documents: its configuration, the data of a folder."""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from pipeline.content.frontmatter import load_yaml
from pipeline.content.globs import first_match
from pipeline.content.kinds.kind import NOTHING, Inherited, InheritedBy
from pipeline.errors import ContentError

_LEVELS = 5
"""How many folders above a source its site's configuration is looked for."""
_STRING = re.compile(r"[\"'`]([^\"'`\n]*)[\"'`]")
_STRING_OR_COMMENT = re.compile(
    r"(\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)|/\*.*?\*/|//[^\n]*", re.DOTALL
)


def project_of(root: Path, configurations: Iterable[str]) -> Path | None:
    """The folder of the site that `root` lies in: the nearest that holds one of the files `configurations`."""
    names = tuple(configurations)
    around = (root, *root.parents)[: _LEVELS + 1]
    return next((folder for folder in around if any((folder / name).is_file() for name in names)), None)


def read_data(file: Path) -> Mapping[str, Any]:
    """What stands in `file`, by its ending: JSON, TOML or YAML; {} where it isn't there or holds nothing.

    Raises:
        ContentError: it can't be read or parsed, or is no mapping.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
        values = _PARSERS.get(file.suffix, load_yaml)(text) if text.strip() else {}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise ContentError(_unread(file, str(error).partition("\n")[0])) from None
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise ContentError(_unread(file, "no `key: value`"))
    return values


_PARSERS = {".json": json.loads, ".toml": tomllib.loads}


def _unread(file: Path, why: str) -> str:
    return f"{file.name} can't be read ({why}) and may hide this document, so it is private: mend that file"


def text_of(file: Path) -> str:
    """What stands in `file`; "" where it isn't there or can't be read."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def program_text(file: Path) -> str:
    """What stands in `file`, JavaScript or TypeScript, without comments; "" where it isn't there or can't be read."""
    return _STRING_OR_COMMENT.sub(lambda found: found[1] or " ", text_of(file))


def listed(program: str, key: str) -> list[str]:
    """The strings of every list that is written out behind `key:` in a program's text."""
    lists = re.findall(rf"\b{key}\s*:\s*\[([^\]]*)\]", program)
    return [text for one in lists for text in _STRING.findall(one)]


def site_base(program: str, key: str) -> str:
    """The path that a program's text says the site lies at, as `key: '/docs/'`: `/docs`; "" for the root of its host."""
    said = re.search(rf"\b{key}\s*:\s*[\"'`](/[\w./~@%+-]*)[\"'`]", program)
    return said[1].rstrip("/") if said else ""


def folder_of(address: object) -> str:
    """The folder that a configuration says the site lies in: `/docs` for `https://x.org/docs/` or `docs`; "" for none."""
    path = urlsplit(address).path.strip("/") if isinstance(address, str) else ""
    return f"/{path}" if path else ""


def left_out(root: Path, base: Path, patterns: Iterable[str]) -> InheritedBy:
    """What a configuration leaves out: the documents below `root` that one of `patterns`, relative to `base`, holds for."""
    kept = tuple(patterns)
    below = root.relative_to(base) if root.is_relative_to(base) else Path()
    hidden = Inherited(is_left_out=True)
    return lambda path: hidden if first_match((below / path).as_posix(), kept) else NOTHING
