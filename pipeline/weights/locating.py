"""Where the weights lie that the settings name: the demo's, a folder, or an id of the model hub."""

from pathlib import Path

from pipeline.errors import ModelError
from pipeline.weights.demo import DEMO, chat_model, embedding_model


def resolve_chat_model(name: str) -> Path | str:
    """What `mlx_lm.load` opens for `[models] chat`: `demo` and folders as a path, anything else is a hub id.

    Raises:
        ModelError: the demo weights can't be had, or `name` looks like a folder and there is none.
    """
    return chat_model() if name == DEMO else _folder(name, "chat") or name


def weights_folder(name: str) -> Path:
    """The folder on this machine with the weights of the chat model `name`.

    Raises:
        ModelError: as `resolve_chat_model`, or it is a hub id that was not fetched yet.
    """
    from mlx_lm.utils import hf_repo_to_path

    found = resolve_chat_model(name)
    if isinstance(found, Path):
        return found
    try:
        return Path(hf_repo_to_path(found))
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{found} is not on this machine ({' '.join(str(error).split())[:120]}): ask it something first "
            "(`sitetwin ask`), which fetches it"
        ) from None


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
