"""The engine's one thread: it reads prompts and chooses tokens for all requests, in one batch of mlx-lm.

Import this after `blas.preload()`.

Every round admits all requests that have room, then makes one step of the batch. So every request moves on, and only an
engine without requests rests. mlx_lm.server's own loop empties its batch for a request with a seed, and makes no step
while it waits for that. Here such a request is a row like any other (`sampling.SeededSampler`).
"""

import threading
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import mlx.core as mx
from mlx_lm.generate import BatchGenerator, StopSequences

from pipeline.engine.base import Base
from pipeline.engine.jobs import Ended, EngineJob, Read, Said, TokenProbability
from pipeline.engine.prefixes import PromptPrefixes
from pipeline.engine.room import Room
from pipeline.engine.turns import Turns
from pipeline.errors import ModelError

PROMPT_TOKENS = 1500
"""The most tokens that the prompts read at the same time have together. A step reads up to `PREFILL_STEP` tokens of
each. On a CPU that takes a second or more, and the answers under way stand still for as long."""
PREFILL_STEP = 512
"""The most tokens of one prompt that a step reads."""
REST_SECONDS = 0.5
"""Seconds that the thread waits for a request before it checks whether it must end."""


class Loop:
    """Answers the jobs that are put.

    Args:
        load: returns the base. It is called in the loop's thread, because MLX binds its streams to a thread.
        cache_bytes: the most bytes kept of answered requests; None: as many as there is room for.
    """

    def __init__(self, load: Callable[[], Base], cache_bytes: int | None = None) -> None:
        self._load = load
        self._cache_bytes = cache_bytes
        self._room = Room()
        self._turns: Turns[EngineJob] = Turns(lambda: self._room, PROMPT_TOKENS)
        self._ending = threading.Event()
        self._under_way: dict[int, EngineJob] = {}
        """The jobs in the batch, by mlx-lm's number."""
        self.base: Base
        """The model; it is there once `ready` is set."""
        self.ready = threading.Event()
        self.prefixes: PromptPrefixes
        """What was computed for earlier requests; it is there once `ready` is set."""
        self._batch: Any

    def put(self, job: EngineJob) -> None:
        """Queues a job; it is answered when its turn comes. Any thread may call it."""
        self._turns.put(job)

    def still_seconds(self) -> float:
        """The seconds since anything moved although requests wait; 0 if none waits."""
        return self._turns.still_seconds()

    def end(self) -> None:
        """Makes `run` return soon. Any thread may call it."""
        self._ending.set()

    def run(self) -> None:
        """Loads the base and answers jobs until `end` is called.

        Raises:
            ModelError: the base can't be loaded.
        """
        self.base = self._load()
        self._room = self.base.room
        self.prefixes = PromptPrefixes(self.base.model, self._cache_bytes or self._room.cache_bytes)
        self._ends = StopSequences([(token,) for token in self.base.tokenizer.eos_token_ids])
        self._batch = BatchGenerator(
            self.base.model,
            completion_batch_size=self._room.rows,
            prefill_batch_size=self._room.prompts,
            prefill_step_size=PREFILL_STEP,
            stream=mx.default_stream(mx.default_device()),
        )
        self.ready.set()
        try:
            while not self._ending.is_set():
                self._round()
        except Exception as error:
            for job in self._under_way.values():
                job.end(error)
            raise
        finally:
            self._batch.close()

    def _round(self) -> None:
        while job := self._turns.take(0 if self._under_way else REST_SECONDS):
            self._begin(job)
        if self._under_way:
            self._step()
            self._drop([number for number, job in self._under_way.items() if job.is_over])

    def _begin(self, job: EngineJob) -> None:
        try:
            overlay = self.base.overlays.get(job.adapter)
        except ModelError as error:
            job.end(error)
            return
        caches, job.cached = self.prefixes.find(overlay, job.prompt)
        cuts = [job.cached, *([job.system] if job.cached < job.system else []), len(job.prompt)]
        (number,) = self._batch.insert_segments(
            segments=[[job.prompt[begin:end] for begin, end in pairwise(cuts)]],
            max_tokens=[job.max_tokens],
            caches=[caches],
            all_tokens=[job.prompt[: job.cached]],
            samplers=[job.sampler],
            logits_processors=[list(job.processors)],
            stop_sequences=[self._ends],
        )
        self._under_way[number] = job
        self.prefixes.leave_room(self._batch.prompt_cache_nbytes)

    def _step(self) -> None:
        read, said = self._batch.next()
        if read or said:
            self._turns.has_moved()
        for progress in read:
            self._take_progress(progress)
        for token in said:
            self._take_token(token)

    def _take_progress(self, progress: Any) -> None:
        job = self._under_way[progress.uid]
        done, total = progress.progress
        job.unread = total - done
        job.tell(Read(job.cached + done, len(job.prompt)))
        if progress.end_of_segment and not progress.end_of_prompt:
            caches, tokens = self._batch.extract_cache([progress.uid])[progress.uid]
            self.prefixes.keep(tokens[:], caches, "system" if len(tokens) == job.system else "user")

    def _take_token(self, said: Any) -> None:
        job = self._under_way[said.uid]
        pieces = job.answer.take(said.token, said.finish_reason)
        job.tell(Said(pieces, _probability(said, job.top)))
        if said.finish_reason:
            # mlx-lm has already taken it out of the batch.
            del self._under_way[said.uid]
            self.prefixes.keep(said.all_tokens[:], said.prompt_cache, "assistant")
        if job.answer.finish:
            job.end(Ended())

    def _drop(self, numbers: list[int]) -> None:
        """Takes jobs out of the batch that are over although mlx-lm has not ended them."""
        if not numbers:
            return
        kept = self._batch.remove(numbers, return_prompt_caches=True)
        for number in numbers:
            job = self._under_way.pop(number)
            caches, tokens = kept[number]
            if job.answer.finish:
                self.prefixes.keep(tokens[:], caches, "assistant")


def _probability(said: Any, top: int | None) -> TokenProbability | None:
    if top is None:
        return None
    likeliest = []
    if top:
        places: Any = mx.argsort(-said.logprobs)[:top].tolist()
        likeliest = list(zip(places, said.logprobs[places].tolist(), strict=True))
    return TokenProbability(said.token, said.logprobs[said.token].item(), likeliest)
