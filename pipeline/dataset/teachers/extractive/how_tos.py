"""Pairs that tell how something is done, with steps or code."""

import re
from collections.abc import Iterator

from pipeline.content.title_questions import IMPERATIVES, question
from pipeline.dataset.teachers.extractive.asking import AskedSentence, is_imperative, order, way
from pipeline.dataset.teachers.extractive.drafts import (
    ExtractiveDraft,
    in_context,
    tells,
    topic_of_document,
)
from pipeline.dataset.teachers.extractive.phrases import AUXILIARIES, holds_name
from pipeline.dataset.teachers.extractive.refusals import is_of_cooking
from pipeline.dataset.teachers.extractive.text import Block, Text, is_whole, leans, points_back
from pipeline.dataset.teachers.extractive.topics import as_subject, in_small_letters, without_symbols
from pipeline.text.sentences import sentences
from pipeline.text.words import content_stems, stems_with_parts

MOST_ITEMS = 8
LONGEST_STEPS = 900
"""Most characters of steps with their code."""


def how_tos(texts: list[Text]) -> Iterator[ExtractiveDraft]:
    """Yields drafts of how-to pairs for one chunk; `texts` has one element."""
    [text] = texts
    for position, block in enumerate(text.blocks):
        if block.kind != "paragraph":
            continue
        found = sentences(block.text)
        for number, sentence in enumerate(found):
            is_last = number == len(found) - 1
            steps = _following(text.blocks, position) if is_last and sentence.endswith(":") else ""
            asked = way(sentence) or (
                order(sentence, IMPERATIVES) if steps or "`" in sentence or " by " in sentence else None
            )
            if not asked or points_back(sentence):
                continue
            if sentence.endswith(":") and not steps:
                continue
            if not steps and not is_whole(sentence):
                continue
            answer = f"{sentence}\n\n{steps}" if steps else _with_followers(found, number)
            yield ExtractiveDraft(in_context(asked, block.heading, text), answer, asked.grade, 8)
    yield from _by_heading(text)
    yield from _in_steps(text)


def _in_steps(text: Text) -> Iterator[ExtractiveDraft]:
    """Yields a draft for each numbered list, with its heading."""
    for position, block in enumerate(text.blocks):
        is_first = block.kind == "step" and (position == 0 or text.blocks[position - 1].kind != "step")
        if is_first and not _NO_STEP.search(block.text) and (steps := _list(text.blocks[position:])):
            heading = as_subject(block.heading, text.source.text) if tells(block.heading, text) else ""
            about = heading or topic_of_document(text)
            if not _are_orders(steps):
                continue
            is_dish = not heading and is_of_cooking(text.source.text)
            asked = AskedSentence(
                f"how do I make {about}?" if is_dish else f"what are the steps for {about}?", not heading, 8
            )
            if about:
                yield ExtractiveDraft(in_context(asked, "", text), steps, 8, 7)


_NO_ORDER = re.compile(
    r"\d+[.)] (?:Less|More|Fewer|No|Better|Worse|Smaller|Larger|Bigger|Faster|Slower|Easier|Cheaper|Reduced|Improved|Increased|[A-Z]\w+ly)\b"
)
"""A merit, as in `1. Less API to learn`."""


def _are_orders(steps: str) -> bool:
    """Whether most steps can be orders: `Clones the repo` says what a program does, `Network requests` names a thing."""
    told = steps.split("\n")
    if 2 * sum(bool(_NO_ORDER.match(step)) for step in told) > len(told):
        return False
    return 2 * sum(bool(re.match(r"\d+[.)] \w+[a-rt-z]s\b", step)) for step in told) < len(told)


_NO_STEP = re.compile(
    rf"\?$|^(?:An?|The|It|This|These|They|There|He|She|I|We|it|[A-Z][\w'’-]* (?:{'|'.join(sorted(AUXILIARIES))}|to))\b"
    r"|^(?:If|When|While|Because) [^,]*, (?:the|an?|it|this|that|they|you'll|there)\b"
)
"""How the first item of a numbered list begins that tells no step."""


def _with_followers(found: list[str], number: int) -> str:
    """A sentence with up to two following ones that depend on it."""
    answer = [found[number]]
    for following in found[number + 1 : number + 3]:
        if not leans(following) or not is_whole(following):
            break
        answer.append(following)
    return " ".join(answer)


def _by_heading(text: Text) -> Iterator[ExtractiveDraft]:
    """Yields a draft for each section whose heading is a deed, such as `Adding a page`."""
    headings = dict.fromkeys(block.heading for block in text.blocks)
    for heading in headings:
        title = text.source.title
        own = [block for block in text.blocks if block.heading == heading]
        asked = question(in_small_letters(without_symbols(heading or title), text.source.text), text.whole)
        if (
            not asked.startswith("How do I ")
            or (not heading and text.source.index)
            or re.search(
                r"\b(?:it|this|that)\b|^How do I (?:introduce|announce|celebrate|review|make things) | and \w+ing\b",
                asked,
            )
        ):
            continue
        # `Waiting time` is not a deed.
        if re.fullmatch(r"\w+ing [a-z]+[^\Ws]", heading or title):
            continue
        answer = _instructions(own)
        # A chunk may begin in the middle of a section, with something else.
        if not answer or not _objects(asked) & stems_with_parts(answer):
            continue
        if heading and heading.casefold() != title.casefold():
            asked = in_context(AskedSentence(f"{asked[0].lower()}{asked[1:]}", holds_name(asked[9:]), 8), "", text)
        yield ExtractiveDraft(asked, answer, 8, 7)


def _objects(asked: str) -> set[str]:
    """What `How do I VERB …?` asks about, without the verb; all stems if it names nothing else."""
    stems = set(content_stems(asked))
    return stems - set(content_stems(asked.split()[3])) or stems


def _instructions(blocks: list[Block]) -> str:
    """The first sentences and steps that tell what to do; "" if the blocks begin with something else."""
    told: list[str] = []
    for position, block in enumerate(blocks):
        length = sum(map(len, told))
        if block.kind == "paragraph":
            found = sentences(block.text)
            good = []
            for sentence in found:
                if sentence.endswith(":") and sentence is found[-1] and _following(blocks, position):
                    good.append(sentence)
                elif not is_whole(sentence) or (leans(sentence) and not good and not told):
                    break
                else:
                    good.append(sentence)
            if not good or length + len(" ".join(good)) > LONGEST_STEPS / 2:
                break
            told.append(" ".join(good))
            if len(good) < len(found):
                break
            if good[-1].endswith(":"):
                told.append(_following(blocks, position))
                break
        elif block.kind == "step" and not told:
            told.append(_list(blocks[position:]))
            break
        else:
            break
        if len(told) == 2:
            break
    answer = "\n\n".join(filter(None, told))
    is_told = any(
        is_imperative(sentence, IMPERATIVES)
        or re.search(r"\byou (?:need|should|must|have to)\b|^(?:[^,]+, )?[Yy]ou can\b|`", sentence)
        for sentence in sentences(answer)
    )
    return answer if is_told and len(answer) >= 40 else ""


def _following(blocks: list[Block], position: int) -> str:
    """The code or the list that the block at `position` introduces; "" if it is too long."""
    if position + 1 >= len(blocks):
        return ""
    following = blocks[position + 1]
    if following.kind == "code":
        return following.text if len(following.text) <= LONGEST_STEPS / 2 else ""
    return _list(blocks[position + 1 :]) if following.kind in ("item", "step") else ""


def _list(blocks: list[Block]) -> str:
    """The list at the beginning of `blocks`; "" if it is cut off, mixed or too long."""
    lines: list[str] = []
    kind = blocks[0].kind
    if kind == "step" and blocks[0].mark != "1.":
        return ""
    for block in blocks:
        if block.kind != kind:
            if block.kind in ("item", "step"):
                return ""
            break
        lines.append(f"{block.mark} {block.text}")
    text = "\n".join(lines)
    is_fit = 2 <= len(lines) <= MOST_ITEMS and len(text) <= LONGEST_STEPS and not lines[-1].endswith(":")
    return text if is_fit else ""
