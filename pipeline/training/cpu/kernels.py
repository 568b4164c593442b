"""Number-by-number operations, each in one pass over memory. Numba compiles them; NumPy would need several passes.

A kernel is compiled when it is first called. The result is kept beside this file or in the user's cache. All arrays are
fp32 and contiguous; T is the tokens of a packed batch.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compiles `function` with Numba and caches the result."""
    # Sums may run in any order, so that the vector unit can compute them. Infinities and NaN keep their meaning.
    fast = {"contract", "reassoc", "nsz", "arcp"}
    return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=fast)(function))


@kernel
def norm_forward(x: np.ndarray, weight: np.ndarray, eps: np.float32, y: np.ndarray, inverse: np.ndarray) -> None:
    """RMSNorm: y = x w / sqrt(mean(x²) + eps) for x (T, D). `inverse` (T,) receives the factor 1 / sqrt(mean(x²) + eps)."""
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
    """Adds the gradient of x (T, D) to `dx`; `dy` (T, D) is the gradient of y, `inverse` is from `norm_forward`."""
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
    """SwiGLU (Shazeer 2020): y = silu(z) u, all (T, N). z becomes silu(z), and `sigmoid` becomes the sigmoid of z.

    `sigmoid` must come in as exp(-z), because NumPy's exp computes sixteen numbers at a time.
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
    """The gradients dz and du of z and u, all (T, N): silu'(z) = s + silu(z) (1 - s) with s the sigmoid of z."""
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
    """Rotary positions (RoFormer, Su et al. 2021): in each head of x, the pairs (i, i + W/2) are turned by the position's angle.

    Args:
        x: (T, heads · W).
        cos: (L, W/2), for each position.
        sin: (L, W/2).
        positions: (T,), each token's position.
        direction: 1; -1 turns back.
        y: (T, heads · W), receives the result.
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
    """Subtracts each row's greatest score, and sets scores of later tokens to -inf; `scores` is (G, tokens, S, seen)."""
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
    """Divides each row of p (..., seen) by its sum."""
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
    """Turns `dp` into the gradient of the scores: p (dp - sum(dp p)) in each row, both (..., seen)."""
    ours, theirs = dp.reshape(-1, dp.shape[-1]), p.reshape(-1, p.shape[-1])
    for t in range(ours.shape[0]):
        inner = np.float32(0)
        for i in range(ours.shape[1]):
            inner += ours[t, i] * theirs[t, i]
        for i in range(ours.shape[1]):
            ours[t, i] = theirs[t, i] * (ours[t, i] - inner)


@kernel
def drop(x: np.ndarray, y: np.ndarray, rate: float, random: np.random.Generator, places: np.ndarray) -> int:
    """Copies x to y and sets each number to 0 with probability `rate`. Returns how many; `places` receives their indices.

    The gaps between them are geometrically distributed. Rounded exponential draws give such gaps, and few draws are needed.
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
    """Adds `through` to `dx`, except at the indices `dropped`. `through` is overwritten there."""
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
    """One update of Adam (Kingma and Ba 2015) without bias correction, on flat arrays; c1 = 1 - b1 and c2 = 1 - b2.

    `new` receives the parameters; the moments m and v are changed in place.
    """
    for i in range(value.size):
        g = gradient[i]
        m[i] = b1 * m[i] + c1 * g
        v[i] = b2 * v[i] + c2 * g * g
        new[i] = value[i] - rate * m[i] / (np.sqrt(v[i]) + eps)
