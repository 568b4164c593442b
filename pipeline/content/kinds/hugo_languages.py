"""The languages of a site of Hugo: https://gohugo.io/content-management/multilingual/."""

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.content.frontmatter import lookup
from pipeline.content.kinds.hugo_cascade import configuration_files, said_in
from pipeline.content.kinds.site_files import folder_of
from pipeline.errors import ContentError

_MARK = re.compile(r"\.[a-z]{2}(?:-[a-z]{2})?$")
_CODE = re.compile(r"[a-z]{2}(?:-[A-Za-z]{2,4})?")

_ISO_639_1 = frozenset(
    "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo es et"
    " eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk"
    " kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny"
    " oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk"
    " tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu".split()
)


class Languages:
    """What the configuration of `project` says of languages; where it says nothing, what its folders are called."""

    def __init__(self, project: Path) -> None:
        said: dict[str, Any] = {}
        for file in configuration_files(project):
            try:
                values = said_in(file)
            except ContentError:  # Hugo itself says what is wrong with it
                continue
            for key in (
                "languages",
                "defaultcontentlanguage",
                "defaultcontentlanguageinsubdir",
                "contentdir",
                "baseurl",
            ):
                if (value := lookup(values, key)) is not None:
                    said[key] = value
        named = said.get("languages")
        self._named: Mapping[str, Any] = named if isinstance(named, Mapping) else {}
        own = {
            code: str(PurePosixPath(str(folder)))
            for code, options in self._named.items()
            if isinstance(options, Mapping) and (folder := lookup(options, "contentdir"))
        }
        content = str(PurePosixPath(str(said.get("contentdir") or "content")))
        main = str(said.get("defaultcontentlanguage") or "en")
        if own and main not in own:
            own = {main: content, **own}
        self.folders = own or _by_name(project, content)
        """The folder of each language that has one to itself, below the project."""
        if not self.folders and content != "content":
            self.folders = {"": content}
        first = next(iter(self.folders), "en")
        usual = "en" if not self.folders or "en" in self.folders else first
        self._main = str(said.get("defaultcontentlanguage") or usual)
        self._is_below = said.get("defaultcontentlanguageinsubdir") is True
        self.base = folder_of(said.get("baseurl"))
        """The folder of its host that the site lies in."""
        self._names: dict[Path, list[str]] = {}
        """The names of the files of each folder that was asked for."""

    def prefix(self, language: str) -> str:
        """What the addresses of a language begin with: `/de`, or "" for the main one."""
        return "" if not language or (language == self._main and not self._is_below) else f"/{language.lower()}"

    def place(self, path: str, root: Path) -> str:
        """`path` of a document whose name tells the language exactly where its address does.

        Where `en` is the main language, `a.en.md` is `a.md`; where that has its own folder on the site too, `a.md` is
        `a.en.md`.

        Args:
            root: the folder that `path` is relative to.
        """
        file = PurePosixPath(path)
        if (mark := _MARK.search(file.stem)) and not self._is_language(mark[0][1:], root / path):
            # `node.js.md` has the address of `node.js/index.md`, whose name tells no language
            return str(file.with_suffix("") / f"index{file.suffix}")
        if self._is_below:
            is_marked = any(self.folders) or _MARK.search(file.stem)
            return path if is_marked else str(file.with_name(f"{file.stem}.{self._main}{file.suffix}"))
        return str(file.with_name(file.stem.removesuffix(f".{self._main}") + file.suffix))

    def _is_language(self, code: str, file: Path) -> bool:
        """Whether a code in a file's name is a language: one of the configuration's, or one that a file beside it confirms."""
        if self._named or code == self._main.lower():
            return code in (self._main.lower(), *(name.lower() for name in self._named))
        name = file.stem.removesuffix(f".{code}")
        if file.parent not in self._names:  # once for all files there: looking costs more than all else
            self._names[file.parent] = [one.name for one in file.parent.glob("*")]
        marks = [
            one.removesuffix(file.suffix).removeprefix(name)
            for one in self._names[file.parent]
            if one.startswith(name) and one.endswith(file.suffix)
        ]
        others = [mark for mark in marks if not mark or (_MARK.fullmatch(mark) and mark[1:3] in _ISO_639_1)]
        return code[:2] in _ISO_639_1 and bool(set(others) - {f".{code}"})


def _by_name(project: Path, content: str) -> dict[str, str]:
    """The folders of `content`, if all of them are called as languages are."""
    inner = sorted(folder.name for folder in (project / content).glob("*") if folder.is_dir())
    return {name: f"{content}/{name}" for name in inner} if all(map(_CODE.fullmatch, inner)) else {}
