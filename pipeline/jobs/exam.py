"""The golden questions that are asked of a model while it is trained, as it would answer in the mode hybrid.

Import this after `blas.preload()`.
"""

import random
from collections.abc import Callable

from pipeline.adapters import BASE
from pipeline.answerability.judging import answerability_judge
from pipeline.chat.assistant import Assistant
from pipeline.chat.records import Answer, ChatModel
from pipeline.errors import SitetwinError
from pipeline.evaluation.golden import golden_questions, judge, questions_file
from pipeline.settings import Settings, Visibility
from pipeline.site import Site
from pipeline.training.loop import TrainingStoppedError
from pipeline.training.run import Exam

LONGEST_ANSWER = 80
"""Most tokens of an answer: it is written on the processor that trains."""


def golden_exam(settings: Settings, count: int, visibility: Visibility) -> Exam:
    """Asks `count` golden questions, the same each time, of a model and returns the share of right answers, 0 to 1.

    Args:
        settings: the site's settings.
        count: how many questions; all if there are fewer.
        visibility: the adapter's: `public` finds public passages only.

    Raises:
        SitetwinError: there are no golden questions to ask.
    """
    # A voice question has no fact, and one with turns before it costs more to ask than one without.
    fit = [one for one in golden_questions(settings) if one.kind != "voice"]
    if not fit:
        raise SitetwinError(
            f"golden_questions asks questions of {questions_file(settings)}, which has none: `sitetwin golden draft` makes"
            " some, or leave golden_questions out"
        )
    asked = random.Random(0).sample(fit, min(count, len(fit)))
    site = Site(settings)
    chat = settings.chat.model_copy(update={"max_tokens": min(settings.chat.max_tokens, LONGEST_ANSWER)})
    seen = visibility if visibility == "public" else None

    def exam(model: ChatModel, stop: Callable[[], bool]) -> float:
        assistant = Assistant(
            settings.model_copy(update={"chat": chat}),
            open_index=site.index,
            connect=lambda adapter: model,
            judge=answerability_judge(settings, site.embedder),
            similarity=site.similarity,
        )
        right = 0
        for question in asked:
            if stop():
                raise TrainingStoppedError
            # The adapter is in the model already.
            *_, answer = assistant.ask(question.question, mode="hybrid", adapter=BASE, visibility=seen)
            assert isinstance(answer, Answer)
            right += judge(question, answer).right
        return right / len(asked)

    return exam
