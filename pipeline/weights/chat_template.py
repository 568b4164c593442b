"""Turns messages into tokens, in one place for training, engine, prompts and exports.

The model's own template (Jinja) writes the turns. What it writes depends on the model family, so this module tries it:

- A template without a system role (Gemma 2, early Mistral) raises an error or drops the message. In that case the
  system message becomes the beginning of the next user message.
- A model without a template gets `PLAIN`.
- The template renders placeholders instead of contents. So it can't cut a content (DeepSeek R1's template drops all
  before `</think>`), and control tokens in a content stay text (see `control_tokens`).
- If the generation prompt opens a thought and none is wanted, an empty thought is closed at once.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from jinja2 import TemplateError

from pipeline.text.thoughts import MARKS, split_thought
from pipeline.weights.control_tokens import TextPart, broken_up, control_tokens, either, encode
from pipeline.weights.upstream import inner_tokenizer

Message = Mapping[str, Any]
"""`role`, `content` (a string, None or absent), and further keys that a template knows, such as `tool_calls`."""

PLAIN = (
    "{% for message in messages %}"
    "{% if message['role'] == 'user' %}{{ '### User:\\n' + message['content'] + '\\n\\n' }}"
    "{% elif message['role'] == 'assistant' %}{{ '### Assistant:\\n' + message['content'] + eos_token + '\\n\\n' }}"
    "{% else %}{{ raise_exception('only user and assistant') }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}{{ '### Assistant:\\n' }}{% endif %}"
)
"""Template for models without one: headings, and the end token after each answer."""

_EDGE = "\U000ff8a5"
_PLACEHOLDER = re.compile(f"{_EDGE}(\\d+){_EDGE}")


class TokenizedRow(NamedTuple):
    """A conversation to train on."""

    tokens: list[int]
    start: int
    """Position in `tokens` of the last answer's first token."""


class ChatTemplate:
    """How one model writes chats.

    Args:
        tokenizer: a tokenizer of transformers, or mlx-lm's wrapper of one.
    """

    def __init__(self, tokenizer: Any) -> None:
        from transformers import PreTrainedTokenizerBase

        self._renderer = tokenizer
        self._tokenizer = tokenizer if isinstance(tokenizer, PreTrainedTokenizerBase) else inner_tokenizer(tokenizer)
        self.is_plain = not getattr(tokenizer, "has_chat_template", self._tokenizer.chat_template is not None)
        """Whether the model has no template of its own."""

    def prompt(self, messages: Sequence[Message], *, thinking: bool = False, **options: Any) -> list[int]:
        """The tokens before an answer.

        Args:
            thinking: whether the model may think first, where it can. See `opens_thought`.
            options: arguments for the template, such as `tools`.

        Raises:
            TemplateError: the template refuses such messages; its text says why.
        """
        return self._encode(self.prompt_parts(messages, thinking=thinking, **options))

    def row(self, messages: Sequence[Message]) -> TokenizedRow:
        """The tokens of a conversation that ends in an answer, and where the answer begins.

        The tokens before the answer equal the prompt without thinking. A thought in the answer is left out.

        Raises:
            TemplateError: the template refuses such messages.
        """
        before = self.prompt_parts(messages[:-1])
        prompt = self._encode(before)
        answer = split_thought(messages[-1]["content"]).answer.strip()
        if not answer:
            return TokenizedRow(prompt, len(prompt))
        rendered = self._render([*messages[:-1], {**messages[-1], "content": answer}], opened=False, thinking=False)
        place = max(place for place, part in enumerate(rendered) if part.is_content)
        answered = [self._gap(before, rendered[:place]), rendered[place], self._ended(rendered[place + 1 :])]
        tokens = self._encode([*before, *answered])
        return TokenizedRow(tokens, _common(tokens, prompt))

    def whole(self, messages: Sequence[Message], **options: Any) -> list[int]:
        """The tokens of a whole conversation, without the opening of a further answer.

        Raises:
            TemplateError: the template refuses such messages.
        """
        return self._encode(self._render(messages, opened=False, thinking=False, **options))

    def text(self, messages: Sequence[Message], *, opened: bool) -> str:
        """The text of a conversation as the model reads it, with unchanged contents.

        Args:
            opened: whether the text ends where the model's next answer begins, without thinking.

        Raises:
            TemplateError: the template refuses such messages.
        """
        parts = self.prompt_parts(messages) if opened else self._render(messages, opened=False, thinking=False)
        return "".join(part.text for part in parts)

    def prompt_parts(self, messages: Sequence[Message], *, thinking: bool = False, **options: Any) -> list[TextPart]:
        """The parts of the prompt, which `prompt` turns into tokens. See `prompt`."""
        parts = self._render(messages, opened=True, thinking=thinking, **options)
        if not thinking and (mark := _open_thought(parts[-1])):
            begin = parts[-1].text
            gap = "\n" if begin.endswith("\n") else "\n\n"
            parts[-1] = TextPart(f"{begin}{gap}{MARKS[mark]}\n\n", False)
        return parts

    def fold(self, messages: Sequence[Message]) -> list[Message]:
        """The messages that the template accepts. Without a system role, a system message opens the next user message."""
        if self.knows_system:
            return list(messages)
        folded: list[Message] = []
        told: list[str] = []
        for message in messages:
            if message["role"] == "system":
                told += filter(None, [message.get("content")])
            elif message["role"] == "user" and told:
                folded.append({**message, "content": "\n\n".join([*told, message.get("content") or ""]).strip()})
                told = []
            else:
                folded.append(message)
        return [*folded, *({"role": "user", "content": "\n\n".join(told)} for _ in told[:1])]

    @cached_property
    def knows_system(self) -> bool:
        """Whether the template writes a system message."""
        try:
            parts = self._render_as_is([_SYSTEM, _USER], opened=True, thinking=False)
        except TemplateError:
            return False
        return any(part.is_content and part.text == _SYSTEM["content"] for part in parts)

    @cached_property
    def opens_thought(self) -> bool:
        """Whether the generation prompt, with thinking, ends inside a thought. A reply then begins in a thought."""
        return _open_thought(self._render([_USER], opened=True, thinking=True)[-1]) is not None

    @cached_property
    def can_think(self) -> bool:
        """Whether the template opens a thought or has a switch for thinking."""
        return self.opens_thought or self.can_switch

    @cached_property
    def can_switch(self) -> bool:
        """Whether the template itself has a switch for thinking (`enable_thinking`)."""
        on, off = (self._render([_USER], opened=True, thinking=thinking) for thinking in (True, False))
        return on != off

    @cached_property
    def control_tokens(self) -> list[str]:
        """The model's control tokens, the longest first. Inside a content they are plain text."""
        return control_tokens(self._tokenizer, self.source)

    @property
    def source(self) -> str:
        """The template in Jinja; "" if the tokenizer writes chats by its own code."""
        return PLAIN if self.is_plain else str(self._tokenizer.chat_template or "")

    def _render(self, messages: Sequence[Message], *, opened: bool, thinking: bool, **options: Any) -> list[TextPart]:
        return self._render_as_is(self.fold(messages), opened=opened, thinking=thinking, **options)

    def _render_as_is(
        self, messages: Sequence[Message], *, opened: bool, thinking: bool, **options: Any
    ) -> list[TextPart]:
        contents: list[str] = []
        hidden = [_hide(message, contents) for message in messages]
        # Templates use two names for the switch. A tokenizer's own code knows one of them.
        switches = ("enable_thinking", "thinking") if self.source else ("enable_thinking",)
        options = {**dict.fromkeys(switches, thinking), **options}
        if self.is_plain:
            options |= {"chat_template": PLAIN, "eos_token": self._tokenizer.eos_token or ""}
        text = self._renderer.apply_chat_template(hidden, tokenize=False, add_generation_prompt=opened, **options)
        pieces = _PLACEHOLDER.split(text)
        # `PLAIN` does not write the first token, so it is added here.
        parts = [TextPart(self._first if self.is_plain else "", False)]
        for place, piece in enumerate(pieces):
            parts.append(TextPart(contents[int(piece)], True) if place % 2 else TextPart(piece, False))
        return [part for part in parts if part.text]

    @cached_property
    def _first(self) -> str:
        """The token that the tokenizer puts before any text; "" if none."""
        begin = self._tokenizer.encode("a")[:1]
        return str(self._tokenizer.bos_token) if begin == [self._tokenizer.bos_token_id] else ""

    def _encode(self, parts: Sequence[TextPart]) -> list[int]:
        return encode(self._without_marks(parts), self._tokenizer, self.control_tokens)

    def _without_marks(self, parts: Sequence[TextPart]) -> list[TextPart]:
        """Breaks up turn marks in contents that are no tokens, such as early Mistral's `[INST]`, so that none forges a turn."""
        return [
            part._replace(text=broken_up(part.text, self._turn_marks)) if part.is_content else part for part in parts
        ]

    @cached_property
    def _turn_marks(self) -> re.Pattern[str]:
        parts = self._render([_USER, _ANSWER, _USER, _ANSWER, _USER], opened=True, thinking=False)
        first = next(place for place, part in enumerate(parts) if part.is_content)
        between = [part.text for part in parts[first:] if not part.is_content]
        words = [word.strip() for text in between for word in either(self.control_tokens).sub("\n", text).split("\n")]
        marks = {word for word in words if re.search(r"\w", word) and not re.fullmatch(r"[\w ]+", word)}
        return either(sorted(marks, key=lambda mark: (-len(mark), mark)))

    def _gap(self, prompt: Sequence[TextPart], head: Sequence[TextPart]) -> TextPart:
        """The text that the template writes between the prompt and an answer, e.g. a space."""
        before, after = ("".join(part.text for part in parts) for parts in (prompt, head))
        return TextPart(after.removeprefix(before) if after.startswith(before) else "", False)

    def _ended(self, rest: Sequence[TextPart]) -> TextPart:
        """The text that closes an answer. It gets the end token if the template writes none, or the model never stops."""
        closing = "".join(part.text for part in rest)
        if either(self.control_tokens).search(closing):
            return TextPart(closing, False)
        return TextPart((self._tokenizer.eos_token or "") + closing, False)


_SYSTEM, _USER, _ANSWER = (
    {"role": role, "content": content} for role, content in (("system", "s"), ("user", "u"), ("assistant", "a"))
)


def _hide(message: Message, contents: list[str]) -> dict[str, Any]:
    """The message with a placeholder for its text, which is added to `contents`. White space around it stays."""
    content = message.get("content")
    if not isinstance(content, str) or not (text := content.strip()):
        return dict(message)
    contents.append(text)
    begin, end = content[: len(content) - len(content.lstrip())], content[len(content.rstrip()) :]
    return {**message, "content": f"{begin}{_EDGE}{len(contents) - 1}{_EDGE}{end}"}


def _open_thought(part: TextPart) -> str | None:
    """The opening mark of a thought that `part` leaves open; None if it leaves none open."""
    text = part.text.lower()
    opened = [(text.rfind(mark), mark) for mark, closing in MARKS.items() if text.rfind(mark) > text.rfind(closing)]
    return max(opened)[1] if opened and not part.is_content else None


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """Length in tokens of the common beginning of two rows."""
    pairs = zip(one, other, strict=False)
    return next((place for place, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
