"""What is done number by number, each in one pass: compiled by Numba, as NumPy would read and write memory each time.

Compiled the first time that each is called, and kept beside this file or in the user's cache. All arrays are fp32 and
contiguous; T tokens of a packed batch.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    # Sums in any order, so that the vector unit does them; infinities and NaN stay what they are.
    fast = {"contract", "reassoc", "nsz", "arcp"}
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=fast)(function))


@kernel
def norm_forward(x: np.ndarray, weight: np.ndarray, eps: np.float32, y: np.ndarray, inverse: np.ndarray) -> None:
    """RMSNorm: y = x w / sqrt(mean(x²) + eps) of x (T, D); `inverse` (T) is what x was multiplied by."""
    tokens, width = x.shape
    for t in range(tokens):
        squares = np.float32(0)
        for i in range(width):
            squares += x[t, i] * x[t, i]
        inverse[t] = np.float32(1) / np.sqrt(squares / np.float32(width) + eps)
        for i in range(width):
            y[t, i] = x[t, i] * inverse[t] * weight[i]


@kernel
def norm_backward(dy: np.ndarray, x: np.ndarray, weight: np.ndarray, inverse: np.ndarray, dx: np.ndarray) -> None:
    """Adds the gradient of x to `dx`."""
    tokens, width = x.shape
    for t in range(tokens):
        inner = np.float32(0)
        for i in range(width):
            inner += dy[t, i] * weight[i] * x[t, i]
        r = inverse[t]
        inner *= r * r * r / np.float32(width)
        for i in range(width):
            dx[t, i] += dy[t, i] * weight[i] * r - x[t, i] * inner


@kernel
def swiglu_forward(z: np.ndarray, u: np.ndarray, sigmoid: np.ndarray, y: np.ndarray) -> None:
    """y = silu(z) u, all (T, N); z becomes silu(z).

    `sigmoid` comes in as exp(-z), which NumPy's own function does sixteen numbers at a time.
    """
    tokens, width = y.shape
    for t in range(tokens):
        for i in range(width):
            sigmoid[t, i] = np.float32(1) / (np.float32(1) + sigmoid[t, i])
            z[t, i] *= sigmoid[t, i]
            y[t, i] = z[t, i] * u[t, i]


@kernel
def swiglu_backward(
    dy: np.ndarray, silu: np.ndarray, u: np.ndarray, sigmoid: np.ndarray, dz: np.ndarray, du: np.ndarray
) -> None:
    """The gradients of z and u: silu'(z) = s + silu(z) (1 - s)."""
    tokens, width = dy.shape
    for t in range(tokens):
        for i in range(width):
            s = sigmoid[t, i]
            dz[t, i] = dy[t, i] * u[t, i] * (s + silu[t, i] * (np.float32(1) - s))
            du[t, i] = dy[t, i] * silu[t, i]


@kernel
def turn(
    x: np.ndarray, cos: np.ndarray, sin: np.ndarray, positions: np.ndarray, direction: np.float32, y: np.ndarray
) -> None:
    """Rotary places: in each head of x (T, heads · W) the pairs (i, i + W/2) turned by their position's angle.

    Args:
        cos: (L, W/2), as `sin`.
        direction: 1; -1 turns back.
    """
    tokens, width = x.shape
    half = cos.shape[1]
    for t in range(tokens):
        p = positions[t]
        for start in range(0, width, 2 * half):
            for i in range(start, start + half):
                c, s = cos[p, i - start], direction * sin[p, i - start]
                left, right = x[t, i], x[t, i + half]
                y[t, i] = left * c - right * s
                y[t, i + half] = right * c + left * s


@kernel
def hide(scores: np.ndarray) -> None:
    """Less their row's greatest, and -inf where a token behind is seen: of scores (G, tokens, S, seen)."""
    groups, tokens, share, seen = scores.shape
    for g in range(groups):
        for t in range(tokens):
            end = seen - tokens + t + 1
            for s in range(share):
                most = scores[g, t, s, 0]
                for i in range(1, end):
                    most = max(most, scores[g, t, s, i])
                for i in range(end):
                    scores[g, t, s, i] -= most
                for i in range(end, seen):
                    scores[g, t, s, i] = -np.inf


@kernel
def share_out(p: np.ndarray) -> None:
    """Each row of p (..., seen) over its sum."""
    rows = p.reshape(-1, p.shape[-1])
    for t in range(rows.shape[0]):
        total = np.float32(0)
        for i in range(rows.shape[1]):
            total += rows[t, i]
        total = np.float32(1) / total
        for i in range(rows.shape[1]):
            rows[t, i] *= total


@kernel
def softmax_backward(dp: np.ndarray, p: np.ndarray) -> None:
    """dp becomes the gradient of the scores: p (dp - sum(dp p)) in each row."""
    ours, theirs = dp.reshape(-1, dp.shape[-1]), p.reshape(-1, p.shape[-1])
    for t in range(ours.shape[0]):
        inner = np.float32(0)
        for i in range(ours.shape[1]):
            inner += ours[t, i] * theirs[t, i]
        for i in range(ours.shape[1]):
            ours[t, i] = theirs[t, i] * (ours[t, i] - inner)


@kernel
def drop(x: np.ndarray, y: np.ndarray, rate: float, random: np.random.Generator, places: np.ndarray) -> int:
    """y = x but for what is dropped, each number with probability `rate`; gives how many, and where in `places`.

    The gaps between them are geometrically distributed, as rounded exponential ones are, and few draws make many.
    """
    source, target = x.reshape(-1), y.reshape(-1)
    for i in range(source.size):
        target[i] = source[i]
    scale, count, place = -1 / np.log1p(-rate), 0, -1
    while count < places.size:
        place += int(random.standard_exponential() * scale) + 1
        if place >= source.size:
            break
        target[place] = 0
        places[count] = place
        count += 1
    return count


@kernel
def add_but(dx: np.ndarray, through: np.ndarray, dropped: np.ndarray) -> None:
    """Adds `through` to dx, but nothing where something was dropped."""
    ours, theirs = dx.reshape(-1), through.reshape(-1)
    for place in dropped:
        theirs[place] = 0
    for i in range(ours.size):
        ours[i] += theirs[i]


@kernel
def adam(
    value: np.ndarray, gradient: np.ndarray, m: np.ndarray, v: np.ndarray, new: np.ndarray,
    b1: np.float32, c1: np.float32, b2: np.float32, c2: np.float32, eps: np.float32, rate: np.float32,
) -> None:  # fmt: skip
    """One update of Adam without bias correction, of flat arrays; c1 = 1 - b1 and c2 = 1 - b2."""
    for i in range(value.size):
        g = gradient[i]
        m[i] = b1 * m[i] + c1 * g
        v[i] = b2 * v[i] + c2 * g * g
        new[i] = value[i] - rate * m[i] / (np.sqrt(v[i]) + eps)
