"""The languages of a site of Hugo: https://gohugo.io/content-management/multilingual/."""

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from pipeline.content.frontmatter import lookup
from pipeline.content.kinds.hugo_cascade import configuration_files, said_in
from pipeline.errors import ContentError

_MARK = re.compile(r"\.[a-z]{2}(?:-[a-z]{2})?$")
_CODE = re.compile(r"[a-z]{2}(?:-[A-Za-z]{2,4})?")


class Languages:
    """What the configuration of `project` says of languages; where it says nothing, what its folders are called."""

    def __init__(self, project: Path) -> None:
        said: dict[str, Any] = {}
        for file in configuration_files(project):
            try:
                values = said_in(file)
            except ContentError:  # Hugo itself says what is wrong with it
                continue
            for key in ("languages", "defaultcontentlanguage", "defaultcontentlanguageinsubdir", "contentdir"):
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

    def prefix(self, language: str) -> str:
        """What the addresses of a language begin with: `/de`, or "" for the main one."""
        return "" if not language or (language == self._main and not self._is_below) else f"/{language.lower()}"

    def place(self, path: str) -> str:
        """`path` of a document whose name tells the language exactly where its address does.

        Where `en` is the main language, `a.en.md` is `a.md`; where that has its own folder on the site too, `a.md` is
        `a.en.md`.
        """
        file = PurePosixPath(path)
        if self._is_below:
            is_marked = any(self.folders) or _MARK.search(file.stem)
            return path if is_marked else str(file.with_name(f"{file.stem}.{self._main}{file.suffix}"))
        return str(file.with_name(file.stem.removesuffix(f".{self._main}") + file.suffix))


def _by_name(project: Path, content: str) -> dict[str, str]:
    """The folders of `content`, if all of them are called as languages are."""
    inner = sorted(folder.name for folder in (project / content).glob("*") if folder.is_dir())
    return {name: f"{content}/{name}" for name in inner} if all(map(_CODE.fullmatch, inner)) else {}
