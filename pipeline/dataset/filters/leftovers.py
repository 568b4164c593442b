"""Finds what a model leaves in a pair although it belongs to its prompt or its plan: labels, marks and placeholders."""

import re

from pipeline.dataset.records import Candidate

_PLACEHOLDER = re.compile(
    r"[<\[{](?:question|answer|text|your|insert|…|\.\.\.)[^>\]}]*[>\]}]|^(?:question|answer|q|a):", re.IGNORECASE
)
_MARK = re.compile(
    # How models and their templates mark thoughts and turns.
    r"</?(?:think(?:ing)?|reason(?:ing)?|thoughts?|analysis|reflection|scratchpad|answer|question|response|output|context|passage)>|<\|[a-z_]+\|>|</?s>|\[(?:END|EOS|DONE|STOP)\]|\[/?INST\]|<(?:start|end)_of_turn>|<</?SYS>>",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"^[^\S\n]*(?:(?:#{1,6}|>|[-*+])[^\S\n]*)?[*_\[(]*(?:(?:[a-z-]+ )?(?:question|answer|response|reply|output|prompt|instruction)(?:[^\S\n]*[#№]?\d+)?"
    r"|(?:pair|example|sample|entry)[^\S\n]*[#№]?\d+|assistant|human|user|bot|ai|model|system|expected|ans|[qa][^\S\n]?#?\d*)[*_\])]*(?:[^\S\n]*\([\w -]{1,15}\))?[^\S\n]*(?:[:：]|\](?=\s))"
    r"|^[^\S\n]*#{1,6}[^\S\n]*(?:question|answer|response|instruction|input|output|assistant|user|human|end\b.*)[^\S\n]*:?[^\S\n]*$"
    r"|^[^\S\n]*[\[(](?:question|answer|q|a|response)[\])]|^[QA]\d+[.)][^\S\n]"
    r"|^[^\S\n]*(?:fact|how-to|voice|synthesis|refusal)(?: question)?[:：]",
    re.IGNORECASE | re.MULTILINE,
)
_LABEL_INSIDE = re.compile(
    r"(?:(?<=[.?!？。])|(?<=[.?!] )|[(\[])\s*[*_]*(?:(?:Correct |Expected |Model |Final |Short )?[Aa]nswer|Response|Reply|Question|Ans|[QA]\d*|ANSWER|RESPONSE)\s*\d*[*_]*:"
)
_NUMBERED = re.compile(
    r"^\s*(?:\(?\d{1,3}[.):]|[-*+•]|#{1,6}|[a-eA-E][.)]|\([a-e]\))\s+(?=[\"“'‘*«„《〈「『【（¿¡]*(?:[^\W\d_]|…))"
)
_LABEL_BEFORE_DASH = re.compile(
    r"^\W*(?:question|answer|response)\s*\d*\s+[-–—]\s|^[A-D]\)\s|^\W*(?:user|visitor|ai|bot|output|thought|thoughts|reply)\**:",
    re.IGNORECASE,
)
_OUTPUT_INSIDE = re.compile(r"(?<=[.?!] )(?:Output|Reply|User|AI):|^Sure[!,.].{0,40}:\s|^\s*\{\s*\"\w+\"\s*:")
_JSON = re.compile(r"(?:^|[{,])\s*\\?\"(?:question|answer|accuracy|style|pairs|response|kind)\\?\"\s*:")
_KIND = re.compile(r"[(\[](?:fact|how-to|voice|synthesis|refusal)[)\]]\s*$", re.IGNORECASE)
_SPEAKS_OF_TASK = re.compile(
    r"^(?:Sure|Certainly|Of course|Absolutely)[!,.]?(?: [^.\n]{0,40}:|\s*(?=Here))"
    r"|^(?:Okay|OK|Alright|Great|Gladly|With pleasure|Gerne|Klar|Natürlich|Bien sûr|Claro|Certo)[!,.]* +(?:here|hier|voici|aquí|ecco)[^.\n]{0,50}[:：]"
    r"|^(?:Hier ist|Voici|Aquí (?:está|tienes)|Ecco) (?:\w+['’ ]){0,3}?(?:Antwort|Frage|réponse|question|respuesta|pregunta|risposta|domanda)\b[^.\n]{0,40}[:：]"
    r"|\b(?:Let me know if you(?:'d| would)? (?:need|want|like|have)\b[^.\n]{0,60}|(?:I )?hope (?:this|that) helps)[.!]*\s*$|^(?:Here(?:'s| is| are)|Below is|The following is)[^.\n]{0,30} (?:answer|question|response|pair)s?\b[^.\n]{0,60}:"
    r"|^(?:Note|Explanation|Reasoning|Justification|Evidence|Source|Reference)s?: .{0,40}\b(?:passage|text|context|excerpt|answer|provided)\b.*$"
    r"|\((?:source|reference|from): .{0,20}\b(?:passage|text|context|excerpt)\b.*\)",
    re.IGNORECASE | re.MULTILINE,
)
_ARROW = re.compile(r"\?\s*(?:->|=>|→|⇒)")
_FENCED = re.compile(r"(?:^|\n)\s*(```|~~~).*?\n\s*\1|(?:^|\n)\s*(?:```|~~~).*\Z", re.DOTALL)
_QUOTED = re.compile(r"`[^`\n]*`|“[^”]*”|„[^“]*“|«[^»]*»|\"[^\"\n]*\"")


def prose(text: str) -> str:
    """`text` with `“…”` in place of each code and quotation, in which any word may stand."""
    return _QUOTED.sub("“…”", without_blocks(text))


def without_blocks(text: str) -> str:
    """`text` with `“…”` in place of each block of code."""
    return _FENCED.sub("\n“…”", text)


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
            _SPEAKS_OF_TASK,
            *([_ARROW, _KIND] if name == "question" else []),
        )
        if name == "question" and (hit := _NUMBERED.match(own)):
            return f"“{hit[0].strip()}” is left over in the question"
        found = [
            _PLACEHOLDER.search(text),
            _OUTPUT_INSIDE.search(text),
            _JSON.search(text),
            *(pattern.search(own) for pattern in patterns),
        ]
        if rest := next((hit[0].strip() for hit in found if hit and not _is_in_text(hit[0], candidate)), ""):
            return f"“{rest}” is left over in the {name}"
    return ""


def _is_in_text(label: str, candidate: Candidate) -> bool:
    """Whether the text has the label too, as an interview has `Q:`. The end of another word is no label."""
    own = label.strip().casefold()
    return re.search(rf"(?<!\w){re.escape(own)}", candidate.text.casefold()) is not None and len(own) > 1
