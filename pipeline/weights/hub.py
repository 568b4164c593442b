"""Models of the Hugging Face hub, fetched where the user sees the progress.

The hub's client keeps complete files. It resumes a file only while its process lives, and discards half a file when the
process ends. So a download here has no time limit, and a broken connection is tried again.
"""

from collections.abc import Callable
from pathlib import Path

import httpx
from huggingface_hub import snapshot_download
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError
from rich.console import Console
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential
from tenacity.wait import wait_base

from pipeline.errors import ModelError

FILES = [
    "*.json",
    "model*.safetensors",
    "tokenizer.model",
    "*.tiktoken",
    "tiktoken.model",
    "*.txt",
    "*.jsonl",
    "*.jinja",
]
"""The files that mlx-lm reads of a model; code is not among them."""
ATTEMPTS = 6
PAUSE = wait_exponential(multiplier=5, max=60)
"""Pause between two attempts. The hub's client itself tries five times in each."""
_NEVER = (GatedRepoError, RepositoryNotFoundError)


def find(name: str) -> Path | None:
    """The folder of the model `name` on this machine; None if it is missing or incomplete. Uses no network.

    Raises:
        ModelError: `name` is not a model's id.
    """
    try:
        return Path(snapshot_download(name, allow_patterns=FILES, local_files_only=True))
    except LocalEntryNotFoundError:
        return None
    except ValueError as error:
        raise ModelError(f"{name} is no model ({error}): set [models] chat to a hub id, a folder or demo") from None


def fetch(name: str, *, endpoint: str | None = None, cache: Path | None = None, pause: wait_base = PAUSE) -> Path:
    """The folder of the model `name`, downloaded with a progress bar on stderr. Complete files are not fetched again.

    Args:
        name: the model's id at the hub.
        endpoint: the hub's address; None: HF_ENDPOINT, or the hub itself.
        cache: folder for models; None: the hub's usual folder.
        pause: pause between two attempts.

    Raises:
        ModelError: there is no such model, or it can't be fetched.
    """
    say = Console(stderr=True)
    say.print(f"fetching {name} from the model hub; this happens once", highlight=False, soft_wrap=True)
    attempts = Retrying(
        retry=retry_if_exception(_may_pass),
        stop=stop_after_attempt(ATTEMPTS),
        wait=pause,
        before_sleep=_say_again(say),
        reraise=True,
    )
    try:
        return Path(attempts(snapshot_download, name, allow_patterns=FILES, endpoint=endpoint, cache_dir=cache))
    except GatedRepoError:
        raise ModelError(
            f"the hub gives {name} only to those who have accepted its terms: do so on its page, then set HF_TOKEN"
        ) from None
    except RepositoryNotFoundError:
        raise ModelError(
            f"the hub has no model {name}, or not for you: mend [models] chat, or set HF_TOKEN if it is private"
        ) from None
    except (OSError, httpx.HTTPError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(
            f"{name} can't be fetched ({reason}): run the command again, which keeps complete files, or set "
            "[models] chat to a folder"
        ) from None


def _may_pass(error: BaseException) -> bool:
    """Whether a further attempt may succeed: the connection or the hub failed, not the name, the disk or the rights."""
    if isinstance(error, _NEVER) or (isinstance(error, OSError) and error.errno is not None):
        return False
    if isinstance(error, HfHubHTTPError):
        return error.response.status_code >= 500
    return isinstance(error, (OSError, httpx.HTTPError))


def _say_again(say: Console) -> Callable[[RetryCallState], None]:
    def print_it(state: RetryCallState) -> None:
        seconds = state.next_action.sleep if state.next_action else 0
        say.print(f"the download broke; again in {seconds:g} s", highlight=False)

    return print_it
