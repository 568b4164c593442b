"""Hugo's shortcodes: the calls go, what they enclose and the words that they show stay."""

import re

_ARGUMENTS = r"(?:\"(?:\\.|[^\"\\])*\"|'[^'\n]*'|`[^`]*`|[^\"'`{}]|')"
_CALL = re.compile(
    rf"\{{\{{([<%])-?\s*(?!/\*)(/?)\s*([\w.-]++(?:/[\w.-]++)*+)((?:{_ARGUMENTS}){{0,2000}}?)/?\s*-?[>%]\}}\}}"
)
_ESCAPED = re.compile(r"(\{\{[<%])/\*(.*?)\*/([>%]\}\})", re.DOTALL)
_SHOWN = re.compile(r"\b(title|caption|alt|summary|label|description)\s*=\s*(?:\"([^\"]*)\"|`([^`]*)`)")
_FIRST = re.compile(r"\s*(?:path\s*=\s*)?[\"'`]?([^\s\"'`]+)")
_LINKS = ("ref", "relref", "param")
_CODE = re.compile(r"highlight|code[\w-]*")


def drop_shortcodes(text: str) -> str:
    """`text` without `{{< calls >}}` and `{{% calls %}}`; code that one encloses becomes a fence, a `ref` its target."""
    return _ESCAPED.sub(r"\1\2\3", _CALL.sub(_shown, text))


def _shown(call: re.Match[str]) -> str:
    closes, name, arguments = call[2], call[3], call[4]
    if _CODE.fullmatch(name) and not call[0].rstrip("%>}- ").endswith("/"):
        language = _FIRST.match(arguments) if name == "highlight" and not closes else None
        return f"\n```{language[1] if language else ''}\n"
    if closes:
        return ""
    if name in _LINKS:
        first = _FIRST.match(arguments)
        return first[1] if first and name != "param" else ""
    return " – ".join(quoted or plain for _, quoted, plain in _SHOWN.findall(arguments) if quoted or plain)
