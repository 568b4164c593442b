"""The options of ONNX Runtime's sessions in this process."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnxruntime

_shared: list[int] = []


def session_options(threads: int) -> "onnxruntime.SessionOptions":
    """With `threads` of the session's own; 0: one for each core.

    Where `share_threads` was called it gets those that all share: ONNX Runtime then lets none have its own.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    if _shared:
        options.use_per_session_threads = False
    else:
        options.intra_op_num_threads = threads
    return options


def share_threads(count: int) -> None:
    """For hundreds of sessions: all that this process opens from now on have `count` threads together.

    The first call counts, later ones change nothing. One thread is the caller's own and needs no sharing.
    """
    import onnxruntime

    if count > 1 and not _shared:
        onnxruntime.set_global_thread_pool_sizes(count, 1)
        _shared.append(count)
