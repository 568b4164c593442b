"""OpenAI's fine-tuning: files, jobs and their events, as its API reference documents them.

https://platform.openai.com/docs/api-reference/fine-tuning
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from pipeline.servers.transport import Keys, Server, ServerError, words

KEYS = Keys(
    url="openai.url",
    model="openai.model",
    api_key="SITETWIN_OPENAI__API_KEY",
    when_slow="run this again",
    when_long="lower retrieval.passages",
)
PURPOSE = "fine-tune"
PAGE = 100


T = TypeVar("T", bound=BaseModel)


class UploadedFile(BaseModel):
    """The `file` object, as far as it is read here."""

    id: str
    filename: str = ""


class JobError(BaseModel):
    """Why a job failed."""

    message: str | None = None


class FineTuningJob(BaseModel):
    """The `fine_tuning.job` object, as far as it is read here."""

    id: str
    status: str
    """validating_files, queued, running, succeeded, failed or cancelled."""
    training_file: str = ""
    fine_tuned_model: str | None = None
    trained_tokens: int | None = None
    error: JobError | None = None

    @property
    def has_ended(self) -> bool:
        """Whether its status will not change any more."""
        return self.status in ("succeeded", "failed", "cancelled")


class JobEvent(BaseModel):
    """The `fine_tuning.job.event` object, as far as it is read here."""

    id: str
    message: str = ""


class Listed(BaseModel, Generic[T]):
    """The newest objects of one kind, newest first."""

    data: list[T] = []


class FineTuningServer(Server):
    """OpenAI, or a server that speaks its fine-tuning API.

    A request that reads is repeated while the server is busy. One that makes something is not: it may have been done.

    Raises:
        ServerError: raised by every method.
    """

    kind = "the fine-tuning server"

    def __init__(self, url: str, model: str, api_key: str = "", timeout: float = 120, **how: Any) -> None:
        super().__init__(url.rstrip("/"), KEYS, api_key, timeout, **how)
        self.model = model

    def upload(self, name: str, content: bytes) -> str:
        """Uploads rows in JSON lines under `name`; returns the file's id."""
        files = {"file": (name, content, "application/jsonl")}
        return self._ask(UploadedFile, "POST", "files", data={"purpose": PURPOSE}, files=files).id

    def uploaded(self, name: str) -> str:
        """The id of the file that was uploaded under `name`; "" if there is none."""
        found = self._read(Listed[UploadedFile], "files", purpose=PURPOSE, limit=PAGE, order="desc").data
        return next((file.id for file in found if file.filename == name), "")

    def create(self, body: Mapping[str, Any]) -> FineTuningJob:
        """Begins a job."""
        return self._ask(FineTuningJob, "POST", "fine_tuning/jobs", json=body)

    def created(self, training_file: str) -> FineTuningJob | None:
        """The newest job that trains on the file `training_file`; None if there is none."""
        found = self._read(Listed[FineTuningJob], "fine_tuning/jobs", limit=PAGE).data
        return next((job for job in found if job.training_file == training_file), None)

    def job(self, id: str) -> FineTuningJob:
        """The job as it is now."""
        return self._read(FineTuningJob, f"fine_tuning/jobs/{id}")

    def cancel(self, id: str) -> FineTuningJob:
        """Ends the job."""
        return self._ask(FineTuningJob, "POST", f"fine_tuning/jobs/{id}/cancel")

    def events(self, id: str, after: str) -> Sequence[JobEvent]:
        """The events of a job since the event `after`, oldest first; "": the last ones."""
        events = self._read(Listed[JobEvent], f"fine_tuning/jobs/{id}/events", limit=PAGE).data
        known = next((place for place, event in enumerate(events) if event.id == after), len(events))
        return events[:known][::-1]

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    @cached_property
    def _http(self) -> httpx.Client:
        return httpx.Client(**self.options)

    def _read(self, kind: type[T], path: str, **query: str | int) -> T:
        return self.again(lambda: self._ask(kind, "GET", path, params=query))

    def _ask(self, kind: type[T], method: str, path: str, **how: Any) -> T:
        """The object in the server's answer."""
        with self.explaining():
            response = self._http.request(method, f"{self.url}/{path}", **how)
        if not response.is_success:
            raise self.refusal(self.model, response)
        try:
            return kind.model_validate_json(response.content)
        except ValidationError:
            raise ServerError(self.no_server(words(response)), response.status_code, for_all=True) from None
