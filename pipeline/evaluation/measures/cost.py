"""Cost: what an answer takes, measured as the questions of the set are asked, several at a time.

The times are the answer's own: first token and total from the question on, retrieval included; tokens a second = tokens
that the model wrote / seconds after retrieval, reading included: a checked answer is shown long after its first token. Tokens are estimated from the text's length, rather too many, the same
way for every model. Quotations and refusals ask no model and write nothing.
"""

from pipeline.evaluation.measures.measure import Judged, Measure

_LOAD = "how long one question alone would take: several are asked at a time"
_ESTIMATE = "the model's own tokens: they are estimated from the text"


def _speed(judged: Judged) -> float | None:
    timings = judged.answer.timings
    seconds = (timings.total_ms - timings.retrieve_ms) / 1000
    return judged.written / seconds if judged.written > 1 and seconds > 0 else None


FIRST_TOKEN = Measure(
    key="first_token_ms", title="First word", unit="ms", better="lower", cannot_see=_LOAD,
    sentence="How long one waits for the first word.",
    of=lambda judged: judged.answer.timings.first_token_ms,
)  # fmt: skip
TOTAL = Measure(
    key="total_ms", title="Whole answer", unit="ms", better="lower", cannot_see=_LOAD,
    sentence="How long one waits for the whole answer.",
    of=lambda judged: judged.answer.timings.total_ms,
)  # fmt: skip
SPEED = Measure(
    key="tokens_per_second", title="Speed", unit="tokens/s", cannot_see=_ESTIMATE, of=_speed,
    sentence="How many tokens a second the model writes, with the time in which it reads.",
)  # fmt: skip
READ = Measure(
    key="tokens_read", title="Read", unit="tokens", better="lower", cannot_see=_ESTIMATE,
    sentence="How much text the model reads for an answer.",
    of=lambda judged: float(judged.read),
)  # fmt: skip
WRITTEN = Measure(
    key="tokens_written", title="Written", unit="tokens", better="lower", cannot_see=_ESTIMATE,
    sentence="How much text the model writes for an answer, shown or not.",
    of=lambda judged: float(judged.written),
)  # fmt: skip
