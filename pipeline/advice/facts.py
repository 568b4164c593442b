"""What is known of a site, as advice and diagnosis read it. None stands for what was not measured."""

from pydantic import BaseModel, Field

from pipeline.advice.changes import Changes


class Search(BaseModel):
    """How well and how fast the golden questions, or the notes' titles, are searched."""

    questions: int
    """The golden questions that name a page."""
    recall: float | None
    """The share of them whose page is among the passages, 0 to 1; None: there are none."""
    diluted: float | None
    """Of the passages of those that were found, the share that is of other pages; None as above."""
    p50_ms: float
    p95_ms: float
    """The milliseconds of a search."""


class Trained(BaseModel):
    """The promoted adapter, or the newest run."""

    adapter: str
    rows: int
    """The rows that it was trained on."""
    verdict: str = ""
    """What its loss curve shows; empty: it was not trained here."""
    rise: float | None = None
    """By how many nats a token the loss on general text rose."""
    before: float | None = None
    """That loss before training."""
    seen: float | None = None
    unseen: float | None = None
    """The mean scores of questions that were trained on, and of held-out ones."""
    changed: list[str] = Field(default_factory=list)
    """The documents that were trained on and whose text has changed since, or is gone."""
    documents: int = 0
    """How many were trained on."""


class SystemFigures(BaseModel):
    """One system of the last evaluation. Shares are 0 to 1."""

    mode: str = "rag"
    figures: dict[str, float] = Field(default_factory=dict)
    """By measure, the mean over all its questions."""
    kinds: dict[str, dict[str, float]] = Field(default_factory=dict)
    """By measure, the mean of each kind of question."""
    ignored: int = 0
    """Answers that cite a page with the fact, refuse nothing, and lack the fact."""
    cited: int = 0
    """Answers that cite a page with the fact."""
    quotes: bool = False
    """Whether most answers are quotations."""


class Gap(BaseModel):
    """A difference between two systems of the last evaluation: b minus a."""

    a: str
    b: str
    measure: str
    difference: float
    p: float
    """Corrected for all comparisons of its table."""

    @property
    def is_shown(self) -> bool:
        """Whether the evaluation shows a difference."""
        return self.p < 0.05


class LastEvaluation(BaseModel):
    """What `sitetwin eval` found last."""

    number: int
    questions: int
    systems: dict[str, SystemFigures]
    gaps: list[Gap]

    def mode(self, mode: str) -> tuple[str, SystemFigures] | None:
        """The first system of this mode with its name; None: no such system was asked."""
        return next(((name, one) for name, one in self.systems.items() if one.mode == mode), None)


class SiteFacts(BaseModel):
    """What is known of a site."""

    documents: int
    public: int
    words: int
    """Of all documents."""
    changes: Changes | None
    data_set: int | None = None
    pairs: int | None = None
    """Those that survived the filter of the newest data set; None: there is no data set."""
    pair_kinds: dict[str, int] = Field(default_factory=dict)
    golden: dict[str, int] = Field(default_factory=dict)
    """The golden questions, by kind."""
    persona_chars: int = 0
    """The length of the persona's instruction with its samples."""
    chunk_chars: int
    """The longest chunk, in characters."""
    rerank: bool
    quotes: bool
    """Whether answers are quotations, so that no model can ignore a passage."""
    with_passages: float
    """The share of pairs that are trained on with passages too."""
    search: Search | None = None
    machine: str
    memory_gb: int
    for_models: float
    """Gigabytes that a model may take."""
    has_gpu: bool
    """Whether MLX can train on a graphics processor."""
    model: str
    can_answer: str = ""
    """The largest model in the table that fits with retrieval, such as `7B in 4 bits`; empty: none."""
    can_train: str = ""
    """The largest one that can be trained."""
    trained: Trained | None = None
    evaluation: LastEvaluation | None = None
