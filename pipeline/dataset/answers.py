"""Answers of teachers and judges, kept in SQLite, so that nothing is asked twice.

When a text is removed, its answers are removed too, because they contain its words.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import TypeAdapter

from pipeline.dataset.records import Judgement, Pair, PairSource, Task

_SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, wanted INTEGER NOT NULL, answer TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS texts (digest TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (digest, key)) WITHOUT ROWID;
"""
_PAIRS = TypeAdapter(list[Pair])


def text_digest(source: PairSource) -> str:
    """SHA-256 in hex of what a teacher sees of a chunk. It does not depend on the chunk's place."""
    shown = (source.title, source.heading, source.text)
    return hashlib.sha256("\0".join(shown).encode()).hexdigest()


class Answers:
    """The answers in the file `path`, which is created if missing. Each call that keeps an answer commits it."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def pairs(self, teacher: str, task: Task) -> list[Pair] | None:
        """The pairs that `teacher` wrote for `task`, or for the same task with a larger count; None if it was never asked."""
        found = self._find(_task_key(teacher, task), task.count)
        return None if found is None else [_placed(pair, task) for pair in _PAIRS.validate_json(found)]

    def keep_pairs(self, teacher: str, task: Task, pairs: Sequence[Pair]) -> None:
        """Keep the pairs that `teacher` wrote for `task`."""
        self._keep(_task_key(teacher, task), task.count, _PAIRS.dump_json(list(pairs)).decode(), task.sources)

    def judgement(self, judge: str, pair: Pair, sources: Sequence[PairSource]) -> Judgement | None:
        """What `judge` said of `pair` with these sources; None if it was never asked."""
        found = self._find(_pair_key(judge, pair, sources))
        return None if found is None else Judgement.model_validate_json(found)

    def keep_judgement(self, judge: str, pair: Pair, sources: Sequence[PairSource], judgement: Judgement) -> None:
        """Keep what `judge` said of `pair` with these sources."""
        self._keep(_pair_key(judge, pair, sources), 1, judgement.model_dump_json(), sources)

    def forget_all_but(self, sources: Iterable[PairSource]) -> int:
        """Remove the answers that rest on a text outside `sources`. Returns their number."""
        kept = [(text_digest(source),) for source in sources]
        with self._transaction():
            self._connection.execute("CREATE TEMP TABLE kept (digest TEXT PRIMARY KEY) WITHOUT ROWID")
            self._connection.executemany("INSERT OR IGNORE INTO kept VALUES (?)", kept)
            gone = "SELECT key FROM texts WHERE digest NOT IN (SELECT digest FROM kept)"
            count = self._connection.execute(f"DELETE FROM answers WHERE key IN ({gone})").rowcount
            self._connection.execute("DELETE FROM texts WHERE key NOT IN (SELECT key FROM answers)")
            self._connection.execute("DROP TABLE kept")
        return count

    def _find(self, key: str, wanted: int = 1) -> str | None:
        query = "SELECT answer FROM answers WHERE key = ? AND wanted >= ?"
        row = self._connection.execute(query, (key, wanted)).fetchone()
        return str(row[0]) if row else None

    def _keep(self, key: str, wanted: int, answer: str, sources: Iterable[PairSource]) -> None:
        with self._transaction():
            self._connection.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", (key, wanted, answer))
            self._connection.executemany(
                "INSERT OR IGNORE INTO texts VALUES (?, ?)", ((text_digest(source), key) for source in sources)
            )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def _task_key(teacher: str, task: Task) -> str:
    return _digest("pairs", teacher, task.kind, task.persona, *map(text_digest, task.sources))


def _pair_key(judge: str, pair: Pair, sources: Sequence[PairSource]) -> str:
    return _digest("judgement", judge, pair.question, pair.answer, *map(text_digest, sources))


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _placed(pair: Pair, task: Task) -> Pair:
    """The pair with the current place of its text, which may have moved since the answer was kept."""
    first = task.sources[0]
    chunks = tuple(source.chunk for source in task.sources)
    return pair.model_copy(update={"source": first.document, "chunk_index": first.index, "chunks": chunks})
