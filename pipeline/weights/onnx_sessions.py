"""The options of ONNX Runtime's sessions in this process."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import onnxruntime

_shared: list[int] = []


def session_options(threads: int) -> "onnxruntime.SessionOptions":
    """Options of a session with `threads` threads of its own; 0: one per core.

    After `share_threads` the session uses the shared threads: ONNX Runtime then allows no others.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    if _shared:
        options.use_per_session_threads = False
    else:
        options.intra_op_num_threads = threads
    return options


def share_threads(count: int) -> None:
    """Make all sessions that this process opens from now on share `count` threads; meant for hundreds of sessions.

    Only the first call has an effect. A count of 1 is the caller's own thread, so nothing is shared.
    """
    import onnxruntime

    if count > 1 and not _shared:
        onnxruntime.set_global_thread_pool_sizes(count, 1)
        _shared.append(count)
