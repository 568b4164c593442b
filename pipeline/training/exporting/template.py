"""A model's chat template (Jinja) in Ollama's form (Go), found by looking at what it makes of messages.

Ollama 0.9 finds a template by itself only if it knows one that is nearly the same, which SmolLM2's is not. Here the
pieces around the texts are cut out of rendered chats; then longer chats are put together of the pieces, and nothing is
given unless they come out as the model's own template renders them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from jinja2 import TemplateError

from pipeline.servers.dialect import Messages
from pipeline.weights.chat_template import ChatTemplate

Render = Callable[[Messages, bool], str]
"""The model's own template; the second argument says whether the next answer is opened."""


@dataclass(frozen=True)
class Pieces:
    """What stands around the texts of a chat."""

    no_system: str
    """The begin of a chat without a system message."""
    before_system: str
    after_system: str
    folded_into: Literal["", "first", "last"]
    """Whose begin the system message is: the first user's, as Gemma has it, or the last one's, as Mistral 7B v0.3 has it.
    "" if it stands alone."""
    before_user: str
    after_user: str
    before_answer: str
    after_answer: str
    opening: str
    """What makes the model answer."""

    def render(self, messages: Messages) -> str:
        """What Ollama makes of `as_go()` with these messages."""
        system = "\n\n".join(message["content"] for message in messages if message["role"] == "system")
        is_block = system and not self.folded_into
        place = len(messages) - 1 if self.folded_into == "last" else 1
        text = self.before_system + system + self.after_system if is_block else self.no_system
        for number, message in enumerate(messages):
            if message["role"] == "user":
                folded = system + self.after_system if self.folded_into and system and number == place else ""
                text += self.before_user + folded + message["content"] + self.after_user
            elif message["role"] == "assistant":
                text += self.before_answer + message["content"] + self.after_answer
        return text + self.opening

    def as_go(self) -> str:
        """The text of Ollama's TEMPLATE."""
        begin, each, folded = self.no_system, "range", ""
        if self.folded_into:
            each = "range $i, $_ :="
            place = "(eq (len (slice $.Messages $i)) 1)" if self.folded_into == "last" else "(eq $i 1)"
            folded = "{{ if and $.System " + place + " }}{{ $.System }}" + self.after_system + "{{ end }}"
        else:
            otherwise = "{{ else }}" + self.no_system if self.no_system else ""
            begin = (
                "{{ if .System }}" + self.before_system + "{{ .System }}" + self.after_system + otherwise + "{{ end }}"
            )
        user = self.before_user + folded + "{{ .Content }}" + self.after_user
        answer = self.before_answer + "{{ .Content }}" + self.after_answer
        choice = '{{ if eq .Role "user" }}' + user + '{{ else if eq .Role "assistant" }}' + answer + "{{ end }}"
        return begin + "{{ " + each + " .Messages }}" + choice + "{{ end }}" + self.opening


def render_with(tokenizer: Any) -> Render:
    """The template of a tokenizer of transformers; a first token that the tokenizer puts before any text is left out.

    A system message is folded into the first question where the template knows none, and no thought is opened.
    """
    first = tokenizer.encode("a")[0]
    added = tokenizer.bos_token if tokenizer.bos_token_id is not None and first == tokenizer.bos_token_id else ""
    template = ChatTemplate(tokenizer)
    return lambda messages, is_opened: template.text(messages, opened=is_opened).removeprefix(added)


def find_pieces(render: Render) -> Pieces | None:
    """The pieces of a template; None when it is not made of such pieces."""
    try:
        knows_system = _knows_system(render)
        pieces = _cut(render, knows_system)
        is_right = all(pieces.render(chat) == render(chat, True) for chat in _chats(knows_system))
    except (TemplateError, ValueError):
        return None
    return pieces if is_right and not _is_special(pieces) else None


_SYSTEM, _USER, _ANSWER, _NEXT = (
    {"role": role, "content": text}
    for role, text in (("system", "sQ1s"), ("user", "uQ2u"), ("assistant", "aQ3a"), ("user", "nQ4n"))
)


def _knows_system(render: Render) -> bool:
    try:
        return bool(render([_SYSTEM, _USER], False))
    except TemplateError:
        return False


def _cut(render: Render, knows_system: bool) -> Pieces:
    """
    Raises:
        ValueError: a text is not where it is expected.
    """
    asked = render([_USER], False)
    head, after_user = _around(asked, _USER)
    opening = _after(render([_USER], True), asked)
    # Of an answer that more follows: of the last one, some templates write a thought as well.
    going_on = render([_USER, _ANSWER, _NEXT], False)
    between, rest = _around(_after(going_on, head + _USER["content"]), _ANSWER)
    _, after_answer = _around(render([_USER, _ANSWER], False), _ANSWER)
    before_user = _after(_around(rest, _NEXT)[0], after_answer)
    no_system = head[: len(head) - len(before_user)]
    if no_system + before_user != head:
        raise ValueError("the first question begins otherwise than the others")
    # Where the template knows no system message, Gemma's way is as good as any.
    before_system, after_system, folded_into = (
        _system(render, no_system, before_user) if knows_system else ("", "\n\n", "first")
    )
    return Pieces(
        no_system=no_system,
        before_system=before_system,
        after_system=after_system,
        folded_into=folded_into,
        before_user=before_user,
        after_user=after_user,
        before_answer=_after(between, after_user),
        after_answer=after_answer,
        opening=opening,
    )


def _system(render: Render, no_system: str, before_user: str) -> tuple[str, str, Literal["", "first", "last"]]:
    """What stands before and after the system message, and which question it is a part of."""
    before, rest = _around(render([_SYSTEM, _USER], False), _SYSTEM)
    middle, _ = _around(rest, _USER)
    if before != no_system + before_user or middle.endswith(before_user):
        return before, middle[: len(middle) - len(before_user)], ""
    earlier, _ = _around(render([_SYSTEM, _USER, _ANSWER, _NEXT], False), _SYSTEM)
    return "", middle, "last" if _ANSWER["content"] in earlier else "first"


def _chats(knows_system: bool) -> list[Messages]:
    question, answer = _turn("user", "Où est-ce?\n\n- here\n- there"), _turn("assistant", "There {it} is, 100 %.")
    chats = [[question], [question, answer, question], [question, answer, question, answer, question]]
    system = _turn("system", "Be brief.\nBe kind.")
    return [*chats, *([system, *chat] for chat in chats if knows_system)]


def _turn(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def _is_special(pieces: Pieces) -> bool:
    """Whether a piece would mean something to Go or end the text in a Modelfile."""
    return any(mark in repr(pieces) for mark in ("{{", '"""'))


def _around(text: str, message: dict[str, str]) -> tuple[str, str]:
    before, after = text.split(message["content"])
    return before, after


def _after(text: str, begin: str) -> str:
    if not text.startswith(begin):
        raise ValueError(f"{text!r} does not begin with {begin!r}")
    return text[len(begin) :]
