"""Links by reference, `[text][label]`: the address, which stands elsewhere in the file, comes to the link."""

import re
from collections.abc import Callable

_LABEL = r"(?:[^\[\]\n\\]|\\.){1,200}"
_DEFINITION = re.compile(
    rf"^[ \t]*\[(?!\^)({_LABEL})\]:[ \t]*(<[^<>\n]*>|[^\s<]\S*)"
    r"[ \t]*(?:(?:\n[ \t]*)?(?:\"[^\"\n]*\"|'[^'\n]*'|\([^()\n]*\)))?[ \t]*(?:\n|\Z)",
    re.MULTILINE,
)
_REFERENCE = re.compile(rf"(?<!\\)\[((?:[^\[\]\\]|\\.|\[{_LABEL}\]){{1,400}})\](?:[ ]?\[({_LABEL})?\])?(?![\[(:])")


def resolve_references(text: str, restore: Callable[[str], str]) -> str:
    """`text`, Markdown whose code is masked, with the addresses in its links and without the lines that define them.

    A reader sees neither the label nor those lines, which would stand at the end of the last section.

    Args:
        restore: puts masked code back, so that labels with code in them are compared as they are written.
    """

    def key(label: str) -> str:
        return " ".join(restore(label).split()).casefold()

    addresses: dict[str, str] = {}
    for label, address in _DEFINITION.findall(text):
        addresses.setdefault(key(label), address)
    if not addresses:
        return text

    def link(found: re.Match[str]) -> str:
        address = addresses.get(key(found[2] or found[1]))
        return f"[{found[1]}]({address})" if address else found[0]

    return _REFERENCE.sub(link, _DEFINITION.sub("", text))
