"""Finds what a model leaves in a pair although it belongs to its prompt or its plan: labels, marks and placeholders."""

import re

from pipeline.dataset.records import Candidate

_PLACEHOLDER = re.compile(
    r"[<\[{](?:question|answer|text|your|insert|…|\.\.\.)[^>\]}]*[>\]}]|^(?:question|answer|q|a):", re.IGNORECASE
)
_MARK = re.compile(
    # How models and their templates mark thoughts and turns.
    r"</?(?:think(?:ing)?|reason(?:ing)?|thought|answer|question|response)>|<\|[a-z_]+\|>|</?s>|\[/?INST\]|<(?:start|end)_of_turn>|<</?SYS>>",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"^[^\S\n]*(?:(?:#{1,6}|>)[^\S\n]*)?\**(?:(?:final |follow-up |sample )?(?:question|answer)[^\S\n]*\d*|response|instruction|assistant|human|"
    r"[qa][^\S\n]?\d*)[^\S\n]*\**[^\S\n]*[:：]",
    re.IGNORECASE | re.MULTILINE,
)
_LABEL_INSIDE = re.compile(
    r"(?:(?<=[.?!？。])|(?<=[.?!] )|\()\s*\**(?:Answer|Response|Question|[QA]\d*|ANSWER|RESPONSE)\s*\d*\**:"
)
_NUMBERED = re.compile(
    r"^\d+[.)]\s+(?=(?:what|how|why|when|where|which|who|is|are|do|does|did|can|should)\b)", re.IGNORECASE
)
_LABEL_BEFORE_DASH = re.compile(
    r"^\W*(?:question|answer|response)\s*\d*\s+[-–—]\s|^[A-D]\)\s|^\W*(?:user|visitor|ai|bot|output|thought|thoughts|reply)\**:",
    re.IGNORECASE,
)
_OUTPUT_INSIDE = re.compile(r"(?<=[.?!] )(?:Output|Reply|User|AI):|^Sure[!,.].{0,40}:\s|^\s*\{\s*\"\w+\"\s*:")
_FENCED = re.compile(r"(?:^|\n)\s*(```|~~~).*?\n\s*\1|(?:^|\n)\s*(?:```|~~~).*\Z", re.DOTALL)
_QUOTED = re.compile(r"`[^`\n]*`|“[^”]*”|„[^“]*“|«[^»]*»|\"[^\"\n]*\"")


def prose(text: str) -> str:
    """`text` with `“…”` in place of each code and quotation, in which any word may stand."""
    return _QUOTED.sub("“…”", _FENCED.sub("\n“…”", text))


def left_over(candidate: Candidate) -> str:
    """The reason to refuse a pair in which a label or mark of a prompt is left over, or ""."""
    pair = candidate.pair
    for name, text in (("question", pair.question), ("answer", pair.answer)):
        own = prose(text)
        patterns = (
            _MARK,
            _LABEL,
            _LABEL_BEFORE_DASH,
            _LABEL_INSIDE,
            _OUTPUT_INSIDE,
            *([_NUMBERED] if name == "question" else []),
        )
        found = [_PLACEHOLDER.search(text), _OUTPUT_INSIDE.search(text), *(pattern.search(own) for pattern in patterns)]
        if rest := next((hit[0].strip() for hit in found if hit and not _is_in_text(hit[0], candidate)), ""):
            return f"“{rest}” is left over in the {name}"
    return ""


def _is_in_text(label: str, candidate: Candidate) -> bool:
    """Whether the text has the label too, as an interview has `Q:`."""
    return label.strip().casefold() in candidate.text.casefold()
