"""The same English question in other words, by rules, so that an adapter learns what is asked and not how."""

import re
import zlib

_OPENING = re.compile(
    r"(?:When it comes to|Speaking of|Regarding|About|I have a question about|In) [^?]+?[,:] (?=[a-z])"
)
_RULES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"What (?:do you think (?:of|about)|is your (?:opinion|view) of|are your thoughts on) (?P<x>.+)|How do you feel about (?P<y>.+)",
     ("What do you think of {x}", "What is your opinion of {x}", "How do you feel about {x}", "What is your view of {x}")),
    (r"What (?:do you (?:say|write) about|can you tell me about|is there to know about) (?P<x>.+)",
     ("What do you say about {x}", "What can you tell me about {x}", "What is there to know about {x}")),
    (r"How (?:do|can) I (?P<x>.+)", ("How do I {x}", "How can I {x}", "What do I have to do to {x}")),
    (r"Why did you (?P<x>.+)", ("Why did you {x}", "What made you {x}")),
    (r"What does (?P<x>\S+) mean", ("What does {x} mean", "What is the meaning of {x}")),
    (r"What is the default of (?P<x>.+)", ("What is the default of {x}", "Which value does {x} have by default")),
    (r"What (?:do you like about|is good about|do you enjoy about) (?P<x>.+)",
     ("What do you like about {x}", "What is good about {x}", "What do you enjoy about {x}")),
    (r"What (?:don't you like about|are the downsides of) (?P<x>.+)",
     ("What don't you like about {x}", "What are the downsides of {x}", "What is bad about {x}")),
    (r"How much did you pay for (?P<x>.+)", ("How much did you pay for {x}", "What did {x} cost you")),
    (r"Would you recommend (?P<x>.+)", ("Would you recommend {x}", "Do you recommend {x}")),
    (r"What is (?P<x>(?!your |the trouble|there |it )[^,]+)", ("What is {x}", "Can you explain what {x} is", "Could you tell me what {x} is")),
)  # fmt: skip
_COMPILED = tuple((re.compile(pattern), frames) for pattern, frames in _RULES)


def paraphrase(question: str) -> str:
    """`question` in other words, always the same ones; "" if no rule knows how to say it otherwise."""
    opening = _OPENING.match(question)
    begin = opening.end() if opening else 0
    asked = question[begin:].removesuffix("?")
    asked = f"{asked[:1].upper()}{asked[1:]}"
    for pattern, frames in _COMPILED:
        if question.endswith("?") and (hit := pattern.fullmatch(asked)):
            about = next(filter(None, hit.groups()))
            others = [said for frame in frames if (said := frame.format(x=about)) != asked]
            chosen = others[zlib.crc32(question.encode()) % len(others)]
            said = f"{chosen[0].lower()}{chosen[1:]}" if begin else chosen
            return f"{question[:begin]}{said}?"
    return ""
