"""The state of everything, read without starting anything. It is also the JSON of `sitetwin status`."""

from typing import Literal

from pydantic import BaseModel

from pipeline.adapters import promotions
from pipeline.embedding.choosing import advice
from pipeline.index.passages import DocumentCounts, FileStatus
from pipeline.jobs.retraining.job import RetrainingJob, read_job
from pipeline.processes import engine, vectors
from pipeline.processes.endpoint import RunFiles
from pipeline.processes.left_out import read_left_out
from pipeline.processes.supervisor import CHILD_SUFFIX
from pipeline.settings import Settings
from pipeline.site import Site


class ProcessStatus(BaseModel):
    """One process of the site. `external` is a server that sitetwin does not start."""

    state: Literal["running", "stopped", "external"]
    pid: int | None = None
    url: str | None = None


class StatusReport(BaseModel):
    """What `sitetwin status` shows."""

    documents: DocumentCounts
    files: list[FileStatus]
    languages: dict[str, int]
    """How many documents are in each language, by ISO 639-1 code."""
    advice: str
    """What to change for these languages; "" if nothing."""
    embedder: str | None
    adapter: str | None
    processes: dict[str, ProcessStatus]
    retraining: RetrainingJob | None
    """The retraining under way, else the last one."""
    flows_left_out: dict[str, str]
    """The flows that Langflow did not get at its last start, by name or file name, each with the reason."""


def read_status(settings: Settings) -> StatusReport:
    """The state of the site that `settings` describe."""
    with Site(settings).index() as index:
        counts, files = index.status()
        embedder, languages = index.embedder_name(), index.languages()
    processes = {}
    for service in (vectors.service(settings), engine.service(settings)):
        endpoint = service.find()
        processes[service.name] = (
            ProcessStatus(state="running", pid=endpoint.pid, url=endpoint.url)
            if endpoint
            else ProcessStatus(state="stopped")
        )
    for file in sorted(settings.run_directory.glob(f"*{CHILD_SUFFIX}.json")):
        name = file.name.removesuffix(f"{CHILD_SUFFIX}.json")
        child = RunFiles(settings.run_directory, f"{name}{CHILD_SUFFIX}").find()
        processes[name] = (
            ProcessStatus(state="running", pid=child.pid, url=child.details.get("url"))
            if child
            else ProcessStatus(state="stopped")
        )
    if settings.engine.url:
        processes[engine.NAME] = ProcessStatus(state="external", url=settings.engine.url)
    in_force = promotions(settings)
    adapter = in_force[-1].name if in_force else None
    return StatusReport(
        documents=counts,
        files=files,
        languages=languages,
        advice=advice(settings.models.embedder, languages),
        embedder=embedder,
        adapter=adapter,
        processes=processes,
        retraining=read_job(settings),
        flows_left_out=read_left_out(settings),
    )
