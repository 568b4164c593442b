"""Adapters on disk, and which of them is promoted.

A folder `.sitetwin/adapters/NAME` has mlx-lm's own layout (`adapter_config.json`, `adapters.safetensors`), which
`mlx_lm.generate --adapter-path` takes, and a card, `sitetwin.json`. An adapter that mlx-lm made itself has no card. It
is accepted too: as private, and for any base that its weights fit.

A model that a service has fine-tuned (`sitetwin train --on openai`) is an adapter too. In place of the weights its folder
has `remote.json`, which names the model and the server that has it.
"""

import hashlib
import json
import re
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock
from pydantic import BaseModel, ValidationError

from pipeline import files
from pipeline.errors import ModelError
from pipeline.settings import Settings, Visibility

CONFIG = "adapter_config.json"
WEIGHTS = "adapters.safetensors"
CARD = "sitetwin.json"
REMOTE = "remote.json"
STATE = "promoted.json"
BASE = "base"
RESERVED = (BASE, "promoted")
"""Names that mean the model without an adapter, and the promoted adapter."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SAMPLE_BYTES = 4096


class AdapterCard(BaseModel):
    """`sitetwin.json`, which stands beside the weights."""

    base: str
    """The base model, as `[models] chat` names it."""
    base_hash: str
    """The hash of the base's folder (`base_hash`)."""
    visibility: Visibility
    """The visibility of the text that it was trained on. Only a public adapter may answer visitors."""
    dataset: int | None = None
    """The version of the data set."""
    run: str = ""
    """The run whose best checkpoint it is."""


class RemoteModel(BaseModel):
    """`remote.json`: a whole model on a server, which answers in place of a base with an adapter."""

    url: str
    """The OpenAI-compatible server that has it."""
    model: str
    """The server's name for it."""


@dataclass(frozen=True, slots=True)
class Adapter:
    """An adapter on disk, as its card describes it."""

    name: str
    folder: Path
    base: str
    base_hash: str
    """The hash of the base's folder; empty for an adapter without a card."""
    visibility: Visibility
    dataset: int | None = None
    """The version of the data set, if the card names one."""
    remote: RemoteModel | None = None
    """The model on a server that it stands for; None: it has weights here."""

    @property
    def content(self) -> Path:
        """The file that tells it from any other: its weights, or the name of the model on a server."""
        return self.folder / (REMOTE if self.remote else WEIGHTS)


class Promotion(BaseModel):
    """An adapter that was promoted, and when."""

    name: str
    at: datetime


class _State(BaseModel):
    promoted: list[Promotion] = []
    """Oldest first. The last one is in force, and a rollback removes it."""


def adapters_directory(settings: Settings) -> Path:
    """The folder that holds the site's adapters."""
    return settings.state / "adapters"


def is_adapter_name(name: str) -> bool:
    """Whether an adapter's folder may have this name: it is no path, not hidden, and neither `base` nor `promoted`."""
    return bool(_NAME.fullmatch(name)) and name not in RESERVED


def write_card(folder: Path, card: AdapterCard) -> None:
    """Writes `card` into the adapter's `folder`."""
    files.write_text(folder / CARD, card.model_dump_json(indent=2) + "\n")


def adapters(settings: Settings) -> list[Adapter]:
    """All adapters that can be read, sorted by name."""
    return adapters_in(adapters_directory(settings))


def adapters_in(directory: Path) -> list[Adapter]:
    """The same as `adapters`, for a process that knows only the folder."""
    found = []
    for folder in sorted(directory.iterdir()) if directory.is_dir() else ():
        if is_adapter_name(folder.name) and any((folder / file).is_file() for file in (CONFIG, REMOTE)):
            try:
                found.append(_read(folder))
            except ModelError:
                continue  # `find_adapter` gives the reason if this one is named
    return found


def find_adapter(settings: Settings, name: str) -> Adapter:
    """The adapter called `name`.

    Raises:
        ModelError: there is none, or its files can't be read.
    """
    return find_adapter_in(adapters_directory(settings), name)


def find_adapter_in(directory: Path, name: str) -> Adapter:
    """The same as `find_adapter`, for a process that knows only the folder."""
    folder = directory / name
    if is_adapter_name(name) and folder.is_dir():
        return _read(folder)
    known = ", ".join(adapter.name for adapter in adapters_in(directory))
    raise ModelError(
        f"there is no adapter {name!r}: "
        + (f"name one of {known}" if known else "`sitetwin train` makes one, `sitetwin promote RUN` puts it to use")
    )


def promoted(settings: Settings) -> Adapter | None:
    """The adapter that answers if none is named; None if none is promoted.

    Raises:
        ModelError: its folder is gone, or can't be read.
    """
    history = promotions(settings)
    if not history:
        return None
    name = history[-1].name
    if not (adapters_directory(settings) / name).is_dir():
        raise ModelError(f"the promoted adapter {name!r} is gone: run `sitetwin rollback`, or promote another run")
    return find_adapter(settings, name)


def answering_adapter(settings: Settings, name: str | None, visibility: Visibility | None) -> Adapter:
    """The adapter to answer with: the named one, else the promoted one.

    Args:
        name: the adapter's name; None: the promoted one.
        visibility: "public" for visitors, who get no answer from a private adapter and do not learn its name.

    Raises:
        ModelError: there is none that may answer.
    """
    adapter = promoted(settings) if name is None else None
    if name is None and adapter is None:
        raise ModelError(
            "no adapter is promoted: run `sitetwin train`, then `sitetwin promote RUN`; or ask with --mode rag"
        )
    if visibility == "public":
        public = [one.name for one in adapters(settings) if one.visibility == "public"]
        if (adapter.name if adapter else name) not in public:
            which = f"there is no public adapter {name!r}" if name is not None else "the promoted adapter is private"
            known = f"name one of {', '.join(public)}" if public else "train one on public notes and promote it"
            raise ModelError(f"{which}, and visitors are answered by public ones alone: {known}")
    return adapter or find_adapter(settings, str(name))


def promotions(settings: Settings) -> list[Promotion]:
    """The promotions that were not rolled back, oldest first.

    Raises:
        ModelError: the file that holds them is broken.
    """
    return _load(adapters_directory(settings) / STATE).promoted


def put_to_use(settings: Settings, name: str) -> None:
    """Records that the adapter `name` answers from now on. Does not check whether the engine accepts it."""
    with _alone(settings) as file:
        history = _load(file).promoted
        if not history or history[-1].name != name:
            _store(file, [*history, Promotion(name=name, at=datetime.now(UTC))])


def rollback(settings: Settings) -> Adapter | None:
    """Returns to the adapter that was promoted before, skipping those that are gone; None if no adapter is in force now.

    Raises:
        ModelError: nothing is promoted.
    """
    with _alone(settings) as file:
        history = _load(file).promoted
        if not history:
            raise ModelError("no adapter is promoted, so there is nothing to roll back: run `sitetwin promote RUN`")
        left = history[:-1]
        while left and not (file.parent / left[-1].name).is_dir():
            left.pop()
        _store(file, left)
    return promoted(settings)


def other_base(adapter: Adapter, base: str) -> str:
    """The message that says why `adapter` can't be laid over `base`."""
    return (
        f"the adapter {adapter.name!r} was trained on {adapter.base!r}, whose weights are not those of {base!r}: "
        "set [models] chat to its base, or train one for this model"
    )


def base_hash(folder: Path) -> str:
    """A SHA-256 in hex that tells a model's weights from any others. It takes milliseconds.

    It covers the name, type and shape of each tensor and its first 4096 bytes. Training and quantising change the tensors
    that they touch from the first row on, so the remaining gigabytes of a 12B model need not be read.

    Args:
        folder: the model's folder.

    Raises:
        ModelError: the folder holds no readable safetensors.
    """
    tensors: list[tuple[str, bytes]] = []
    try:
        for file in folder.glob("model*.safetensors"):
            with file.open("rb") as data:
                (length,) = struct.unpack("<Q", data.read(8))
                header = json.loads(data.read(length))
                header.pop("__metadata__", None)
                for name, tensor in header.items():
                    start, end = tensor["data_offsets"]
                    data.seek(8 + length + start)
                    sample = data.read(min(end - start, _SAMPLE_BYTES))
                    tensors.append((f"{name} {tensor['dtype']} {tensor['shape']}", sample))
    except (OSError, struct.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(f"the weights in {folder} can't be read ({error}): fetch that model again") from None
    if not tensors:
        raise ModelError(f"{folder} holds no model*.safetensors: name a folder that `mlx_lm.load` opens")
    digest = hashlib.sha256()
    for described, sample in sorted(tensors):
        digest.update(f"{described}\n".encode())
        digest.update(sample)
    return digest.hexdigest()


def _read(folder: Path) -> Adapter:
    mend = f"train it again, or remove {folder}"
    is_remote = (folder / REMOTE).is_file()
    for file in (CARD,) if is_remote else (CONFIG, WEIGHTS):
        if not (folder / file).is_file():
            raise ModelError(f"the adapter {folder.name!r} has no {file}: {mend}")
    try:
        remote = RemoteModel.model_validate_json((folder / REMOTE).read_bytes()) if is_remote else None
        if (folder / CARD).is_file():
            card = AdapterCard.model_validate_json((folder / CARD).read_bytes())
        else:
            config = json.loads((folder / CONFIG).read_bytes())
            card = AdapterCard(base=str(config.get("model", "")), base_hash="", visibility="private")
    except (ValidationError, ValueError, AttributeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"the adapter {folder.name!r} can't be read ({reason}): {mend}") from None
    return Adapter(folder.name, folder, card.base, card.base_hash, card.visibility, card.dataset, remote)


@contextmanager
def _alone(settings: Settings) -> Iterator[Path]:
    """The state file, locked against changes by other processes."""
    directory = adapters_directory(settings)
    directory.mkdir(parents=True, exist_ok=True)
    with FileLock(directory / ".promoted.lock"):
        yield directory / STATE


def _load(file: Path) -> _State:
    if not file.is_file():
        return _State()
    try:
        return _State.model_validate_json(file.read_bytes())
    except ValidationError:
        raise ModelError(f"{file} is broken: remove it, then run `sitetwin promote RUN`") from None


def _store(file: Path, history: list[Promotion]) -> None:
    files.write_text(file, _State(promoted=history).model_dump_json(indent=2) + "\n")
