"""A run that OpenAI trains: its rows are checked and uploaded, the job is followed, and the new model becomes an adapter.

Each step is recorded before the next one begins, and what is made at the service carries the run's token. So a run that was
killed goes on where it was, and nothing is uploaded or begun twice.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pipeline import files
from pipeline.adapters import REMOTE, RemoteModel, adapters_directory, write_card
from pipeline.dataset.export import OpenAIRow, export, read_messages
from pipeline.dataset.formats.openai import CHARS_PER_TOKEN, OPENAI
from pipeline.dataset.versions import read_card, version_folder
from pipeline.errors import SitetwinError
from pipeline.servers.fine_tuning import FineTuningJob, FineTuningServer
from pipeline.servers.transport import ServerError
from pipeline.settings import Settings, Visibility
from pipeline.training import registry
from pipeline.training.checks import check_visibility
from pipeline.training.config import Values, configuration
from pipeline.training.registry import RemoteJob, Run

POLL_SECONDS = 10.0
"""Seconds between two looks at a job. One takes minutes to hours."""
BIGGEST_FILE = 512 * 10**6
"""The most bytes of a file that OpenAI takes."""
LONGEST_SUFFIX = 64
"""The most characters of what is added to the model's name."""
BUSY = "a run at OpenAI is followed already: `sitetwin runs` shows it; end that with Ctrl-C, its job goes on"
SETTABLE = {"epochs", "seed"}
"""What can be set of such a run; the service decides the rest."""

Say = Callable[[str], None]
Wait = Callable[[float], object]


def start(
    settings: Settings,
    say: Say,
    confirm: Callable[[str], bool],
    *,
    values: Values | None = None,
    name: str | None = None,
    data_set: int | None = None,
    visibility: Visibility | None = None,
    may_send_private: bool = False,
    stop: Callable[[], bool] = lambda: False,
    wait: Wait = time.sleep,
) -> Run:
    """Makes a new run, and follows its job until it has ended or `stop()` is true.

    Args:
        settings: the site's settings; `[openai]` says where and what is trained.
        say: is told what happens.
        confirm: is asked with the cost whether to begin.
        values: `epochs` and `seed`.
        name: the run's name; None: `openai` with a number.
        data_set: the data set's version; None: the newest.
        visibility: of the adapter; None: `[dataset] visibility`.
        may_send_private: whether rows of private notes may leave this machine.
        stop: tells whether to stop following.
        wait: waits for so many seconds.

    Raises:
        SitetwinError: a check failed or `confirm` said no (then nothing was sent), or the service refused.
    """
    values = values or {}
    if unknown := values.keys() - SETTABLE:
        raise SitetwinError(f"OpenAI decides {min(unknown)} itself: --set takes {' and '.join(sorted(SETTABLE))} there")
    config = configuration("best", values)
    folder = version_folder(settings, data_set)
    card = read_card(folder)
    visibility = visibility or settings.dataset.visibility
    check_visibility(visibility, card.visibility, card.version)
    if card.visibility == "private" and not may_send_private:
        raise SitetwinError(
            f"data set {card.version} is made of private notes, which would leave this machine: "
            "build a public data set, or say --send-private"
        )
    rows = read_messages(folder)
    OPENAI.check(rows["train"])
    epochs = max(1, round(config.epochs))
    tokens = epochs * _tokens(rows["train"])
    where = settings.openai
    if not confirm(_cost(settings, len(rows["train"]), epochs, tokens)):
        raise SitetwinError("nothing was sent: run it again and say yes, or train here without --on")
    with registry.alone(settings, registry.FOLLOW_LOCK, BUSY):
        run = Run(
            name=name or registry.free_name(settings, "openai"),
            preset="best",
            config=config.model_copy(update={"epochs": epochs}),
            data_set=card.version,
            data_visibility=card.visibility,
            rows={"train": len(rows["train"]), "valid": len(rows["valid"])},
            visibility=visibility,
            base=where.model,
            base_hash=f"remote:{where.model}",
            made_at=datetime.now(UTC),
            remote=RemoteJob(url=where.url, model=where.model, token=secrets.token_hex(8), tokens=tokens),
        )
        run.begin()
        registry.create(settings, run)
        for file in export(rows, OPENAI, registry.run_folder(settings, run.name)):
            if file.stat().st_size > BIGGEST_FILE:
                run.end("failed", f"{file.name} is larger than OpenAI takes: build a smaller data set")
                registry.write(settings, run)
                raise SitetwinError(run.error)
        return _go_on(settings, run, say, stop, wait)


def resume(
    settings: Settings, say: Say, run: Run, stop: Callable[[], bool] = lambda: False, wait: Wait = time.sleep
) -> Run:
    """Goes on with a run of a service where it was, also after a kill.

    Raises:
        SitetwinError: the service refuses, or another such run is followed.
    """
    with registry.alone(settings, registry.FOLLOW_LOCK, BUSY):
        run.begin()
        return _go_on(settings, run, say, stop, wait)


def cancel(settings: Settings, name: str) -> Run:
    """Ends the job of the run `name` at the service.

    Raises:
        SitetwinError: there is no such run, it has no job that is under way, or the service refuses.
    """
    run = registry.find(settings, name)
    remote = run.remote
    if remote is None:
        raise SitetwinError(f"the run {name!r} is trained here: end it with Ctrl-C where it runs")
    if not remote.job or run.state not in ("running", *registry.OPEN):
        raise SitetwinError(f"the run {name!r} has no job under way: `sitetwin runs` shows it")
    server = _server(settings, remote)
    try:
        remote.status = server.cancel(remote.job).status
    finally:
        server.close()
    # Whoever follows it sees the end and records it.
    if run.state != "running":
        run.end("cancelled")
        registry.write(settings, run)
    return run


def _go_on(settings: Settings, run: Run, say: Say, stop: Callable[[], bool], wait: Wait) -> Run:
    assert run.remote
    server = _server(settings, run.remote)
    registry.write(settings, run)
    try:
        _upload(settings, run, server, say)
        job = _begin(settings, run, server, say)
        job = _follow(settings, run, server, job, say, stop, wait)
    except ServerError as error:
        run.end("stopped", f"{error}; `sitetwin train --resume --name {run.name}` goes on")
        registry.write(settings, run)
        raise SitetwinError(run.error) from None
    finally:
        server.close()
    _end(settings, run, job)
    if run.state == "failed":
        raise SitetwinError(run.error)
    return run


def _upload(settings: Settings, run: Run, server: FineTuningServer, say: Say) -> None:
    remote, folder = run.remote, registry.run_folder(settings, run.name)
    assert remote

    def sent(kind: str) -> str:
        name, content = f"sitetwin-{remote.token}-{kind}.jsonl", (folder / f"{kind}.jsonl").read_bytes()
        say(f"uploading {kind}.jsonl, {len(content) / 1e6:.1f} MB, to {remote.url}")
        return server.uploaded(name) or server.upload(name, content)

    if not remote.training_file:
        remote.training_file = sent("training")
        registry.write(settings, run)
    if not remote.validation_file and run.rows["valid"]:
        remote.validation_file = sent("validation")
        registry.write(settings, run)


def _begin(settings: Settings, run: Run, server: FineTuningServer, say: Say) -> FineTuningJob:
    remote = run.remote
    assert remote
    if remote.job:
        return server.job(remote.job)
    job = server.created(remote.training_file)
    if job is None:
        hyperparameters = {"n_epochs": int(run.config.epochs)}
        suffix = "".join(
            letter for letter in settings.site.name if letter.isascii() and (letter.isalnum() or letter in "-_")
        )
        body = {
            "model": remote.model,
            "training_file": remote.training_file,
            "seed": run.config.seed,
            "method": {"type": "supervised", "supervised": {"hyperparameters": hyperparameters}},
            "metadata": {"sitetwin": remote.token},
            **({"validation_file": remote.validation_file} if remote.validation_file else {}),
            **({"suffix": suffix[:LONGEST_SUFFIX]} if suffix else {}),
        }
        job = server.create(body)
    remote.job, remote.status = job.id, job.status
    registry.write(settings, run)
    say(f"the job {job.id} is {job.status} at {remote.url}; Ctrl-C leaves it to go on there")
    return job


def _follow(
    settings: Settings,
    run: Run,
    server: FineTuningServer,
    job: FineTuningJob,
    say: Say,
    stop: Callable[[], bool],
    wait: Wait,
) -> FineTuningJob:
    """Looks at the job until it has ended or `stop()` is true; returns it as it was last."""
    remote = run.remote
    assert remote
    while True:
        events = server.events(job.id, remote.last_event)
        for event in events:
            say(event.message)
        if events or job.status != remote.status:
            remote.last_event = events[-1].id if events else remote.last_event
            remote.status = job.status
            registry.write(settings, run)
        if job.has_ended or stop():
            return job
        wait(POLL_SECONDS)
        job = server.job(job.id)


def _end(settings: Settings, run: Run, job: FineTuningJob) -> None:
    """Records what came of the job. A new model becomes an adapter first, so that no kill loses it."""
    remote = run.remote
    assert remote
    remote.status, remote.trained_tokens = job.status, job.trained_tokens
    match job.status:
        case "succeeded" if job.fine_tuned_model:
            remote.fine_tuned_model = job.fine_tuned_model
            publish(settings, run)
            run.end("done")
        case "succeeded" | "failed":
            said = job.error and job.error.message
            run.end(
                "failed", f"OpenAI could not train it ({said or 'no reason given'}): mend the rows, then train again"
            )
        case "cancelled":
            run.end("cancelled")
        case _:
            run.end("stopped")
    registry.write(settings, run)


def publish(settings: Settings, run: Run) -> Path:
    """Writes the adapter that stands for the new model, whole or not at all, and returns its folder."""
    remote = run.remote
    assert remote
    final = adapters_directory(settings) / run.name
    with files.new_folder(final, replace=True) as folder:
        model = RemoteModel(url=remote.url, model=remote.fine_tuned_model)
        files.write_text(folder / REMOTE, model.model_dump_json(indent=2) + "\n")
        write_card(folder, run.card)
    return final


def _server(settings: Settings, remote: RemoteJob) -> FineTuningServer:
    """The server that has the job.

    Raises:
        SitetwinError: the settings name another one by now, whose key is not for this one.
    """
    if remote.url != settings.openai.url:
        raise SitetwinError(f"the run is at {remote.url}, and openai.url is {settings.openai.url}: set openai.url back")
    return FineTuningServer(remote.url, remote.model, settings.openai.api_key)


def _tokens(rows: Sequence[OpenAIRow]) -> int:
    """About how many tokens the rows have. It is rather too many: OpenAI's tokenizer is not here."""
    return sum(len(message["content"]) for row in rows for message in row["messages"]) // CHARS_PER_TOKEN


def _cost(settings: Settings, rows: int, epochs: int, tokens: int) -> str:
    where = settings.openai
    price = (
        f"at most about ${tokens / 1e6 * where.price:.2f} at ${where.price:g} a million"
        if where.price
        else "set openai.price, in dollars a million, to see the cost"
    )
    return f"{rows} rows, {epochs} epochs, at most about {tokens:,} training tokens of {where.model} at {where.url}: {price}"
