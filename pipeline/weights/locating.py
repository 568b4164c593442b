"""Where the weights lie that the settings name: the demo's, a folder, a GGUF, or an id of the model hub."""

import hashlib
from pathlib import Path

from rich.console import Console

from pipeline.errors import ModelError
from pipeline.weights.cache import cached
from pipeline.weights.demo import DEMO, DTYPE, chat_model, embedding_model

GGUF = ".gguf"


def resolve_chat_model(name: str) -> Path | str:
    """What `mlx_lm.load` opens for `[models] chat`: `demo`, folders and GGUFs as a path, anything else is a hub id.

    Raises:
        ModelError: the demo weights can't be had, `name` looks like a folder or a GGUF and there is none, or the GGUF
            can't be converted.
    """
    if name == DEMO:
        return chat_model()
    if name.lower().endswith(GGUF):
        return converted_gguf(Path(name).expanduser())
    return _folder(name, "chat") or name


def converted_gguf(file: Path) -> Path:
    """The folder of the cache with the model of a GGUF, converted when it is named for the first time.

    A file that was written since is converted again.

    Raises:
        ModelError: there is no such file, it can't be converted, or the cache can't be written.
    """
    if not file.is_file():
        raise ModelError(f"no file {file}: set [models] chat to {DEMO!r} or to a GGUF that exists")
    file = file.resolve()
    state = file.stat()
    mark = hashlib.sha256(f"{file} {state.st_size} {state.st_mtime_ns}".encode()).hexdigest()[:12]

    def build(folder: Path) -> None:
        # Imported here: it brings MLX, and most processes only ask for a folder that is there already.
        from pipeline.weights.gguf.converting import convert

        Console(stderr=True).print(f"converting {file.name} for MLX, once", highlight=False)
        convert(file, folder, DTYPE)

    return cached(f"{file.stem}-{mark}-{DTYPE}", build)


def weights_folder(name: str) -> Path:
    """The folder on this machine with the weights of the chat model `name`.

    Raises:
        ModelError: as `resolve_chat_model`, or it is a hub id that was not fetched yet.
    """
    if folder := _here(found := resolve_chat_model(name)):
        return folder
    raise ModelError(f"{found} is not on this machine: ask it something first (`sitetwin ask`), which fetches it")


def fetch_chat_model(name: str) -> Path:
    """As `weights_folder`, but what is not on this machine is fetched now, with a bar on stderr.

    Raises:
        ModelError: it can't be had.
    """
    if folder := _here(found := resolve_chat_model(name)):
        return folder
    from pipeline.weights import hub

    return hub.fetch(str(found))


def _here(found: Path | str) -> Path | None:
    if isinstance(found, Path):
        return found
    # Imported here: it takes half a second, and most models are folders.
    from pipeline.weights import hub

    return hub.find(found)


def resolve_embedding_model(name: str) -> Path:
    """The folder of `[models] embedder`.

    Raises:
        ModelError: the demo weights can't be had, or there is no such folder.
    """
    folder = embedding_model() if name == DEMO else _folder(name, "embedder")
    if folder is None:
        raise ModelError(f"no folder {name}: set [models] embedder to {DEMO!r} or to a folder that exists")
    return folder


def _folder(name: str, key: str) -> Path | None:
    path = Path(name).expanduser()
    if path.is_dir():
        return path.resolve()
    if path.is_absolute() or name.startswith((".", "~")):
        raise ModelError(f"no folder {path}: set [models] {key} to {DEMO!r} or to a folder that exists")
    return None
