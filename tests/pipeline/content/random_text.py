"""Markdown of random blocks, the same for the same seed."""

from random import Random


def paragraph(words: int, word: str = "word") -> str:
    return " ".join([word] * words) + "."


def random_markdown(rng: Random) -> str:
    blocks = [
        lambda: "#" * rng.randint(1, 6) + f" {paragraph(rng.randint(1, 4), 'head')}",
        lambda: paragraph(rng.randint(1, 120)),
        lambda: "\n".join(
            f"{'  ' * rng.randint(0, 2) * bool(n)}- {paragraph(rng.randint(1, 12))}" for n in range(rng.randint(1, 12))
        ),
        lambda: "```\n" + "\n".join(f"code {n}" for n in range(rng.randint(0, 60))) + "\n```",
        lambda: "| a | b |\n|---|---|\n" + "\n".join(f"| {n} | cell |" for n in range(rng.randint(0, 40))),
        lambda: "\n".join(f"> {paragraph(rng.randint(1, 9))}" for _ in range(rng.randint(1, 9))),
        lambda: "---",
        lambda: f"[ref{rng.randint(0, 9)}]: http://x.org",
    ]
    return "\n\n".join(rng.choice(blocks)() for _ in range(rng.randint(1, 15)))
