"""Finds the weights that the settings name: the demo's, a folder, a GGUF, or an id of the model hub."""

import hashlib
from pathlib import Path

from rich.console import Console

from pipeline.errors import ModelError
from pipeline.weights.cache import cached
from pipeline.weights.demo import DEMO, DTYPE, EMBEDDINGS, MULTILINGUAL, chat_model

GGUF = ".gguf"


def resolve_chat_model(name: str) -> Path | str:
    """The argument of `mlx_lm.load` for `[models] chat`: a path for `demo`, folders and GGUFs, else a hub id.

    Raises:
        ModelError: the demo weights can't be fetched, the folder or GGUF does not exist, or the GGUF can't be converted.
    """
    if name == DEMO:
        return chat_model()
    if name.lower().endswith(GGUF):
        return converted_gguf(Path(name).expanduser())
    return _folder(name, "chat") or name


def shown_name(name: str) -> str:
    """The chat model's name for readers: of a folder or file on this machine, its last part."""
    on_disk = name.startswith((".", "~", "/")) or name.lower().endswith(GGUF)
    return Path(name).name if on_disk else name


def converted_gguf(file: Path) -> Path:
    """The cache's folder with the converted model of a GGUF. The first call converts it.

    A file that has changed since is converted again.

    Raises:
        ModelError: the file does not exist or can't be converted, or the cache can't be written.
    """
    if not file.is_file():
        raise ModelError(f"no file {file}: set [models] chat to {DEMO!r} or to a GGUF that exists")
    file = file.resolve()
    state = file.stat()
    mark = hashlib.sha256(f"{file} {state.st_size} {state.st_mtime_ns}".encode()).hexdigest()[:12]

    def build(folder: Path) -> None:
        # Imported here because it loads MLX. Most processes only ask for a folder that exists already.
        from pipeline.weights.gguf.converting import convert

        Console(stderr=True).print(f"converting {file.name} for MLX, once", highlight=False)
        convert(file, folder, DTYPE)

    return cached(f"{file.stem}-{mark}-{DTYPE}", build)


def weights_folder(name: str) -> Path:
    """The folder on this machine with the weights of the chat model `name`.

    Raises:
        ModelError: see `resolve_chat_model`; or `name` is a hub id that has not been fetched yet.
    """
    if folder := _here(found := resolve_chat_model(name)):
        return folder
    raise ModelError(f"{found} is not on this machine: ask it something first (`sitetwin ask`), which fetches it")


def fetch_chat_model(name: str) -> Path:
    """Like `weights_folder`, but fetches a missing model from the hub, with a progress bar on stderr.

    Raises:
        ModelError: the model can't be found or fetched.
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
    """The folder of the embedder that `[models] embedder` names.

    Raises:
        ModelError: the demo weights can't be fetched, or there is no such folder.
    """
    if name in EMBEDDINGS:
        return EMBEDDINGS[name].fetch()
    folder = _folder(name, "embedder")
    if folder is None:
        raise ModelError(
            f"no folder {name}: set [models] embedder to {DEMO!r}, {MULTILINGUAL!r} or to a folder that exists"
        )
    return folder


def _folder(name: str, key: str) -> Path | None:
    path = Path(name).expanduser()
    if path.is_dir():
        return path.resolve()
    if path.is_absolute() or name.startswith((".", "~")):
        raise ModelError(f"no folder {path}: set [models] {key} to {DEMO!r} or to a folder that exists")
    return None
