"""The index's SQLite file: its tables, its connections, and errors that a person understands.

SQLite holds the truth. All that Chroma holds can be made again from it.
"""

import queue
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from pipeline.errors import SitetwinError, StaleIndexError
from pipeline.text import tokens

SCHEMA_VERSION = 5
BUSY_SECONDS = 30

_TOKEN_PUNCTUATION = tokens.TOKEN_PUNCTUATION.replace("'", "''")

# generations: the vectors of all chunks by one embedder. Searches use the active generation. A rebuild fills another
#   one, which replaces it when it is complete. Each chunk names the generation in which Chroma has it. The embedder of a
#   generation is loaded again from its spec, for searches during a rebuild with another embedder.
# files: `modified` (nanoseconds since the epoch) and `size` (bytes) are of before the file was read.
# documents: from `changes_at` on, seconds since the epoch, the date makes it more or less visible.
# vectors: their key is the digest of the embedded text, so a text that is moved, renamed or hidden is not embedded again.
# tombstones: the vectors that Chroma still has to delete.
# keywords: tokens made by pipeline.text.tokens; FTS5 only splits them at spaces. public_keywords has the tokens of public
#   chunks again. BM25 weighs a word by how common it is in its table, so with one table the order and the scores of
#   public results would tell what private notes hold.
# keywords_places: each occurrence of a token, a view of the index of that name that takes no disk space.
# keyword_totals: the numbers of documents, chunks and tokens of each visibility, because counting them takes long.
_SCHEMA = f"""
CREATE TABLE generations (
    number INTEGER PRIMARY KEY,
    embedder TEXT NOT NULL,
    dimension INTEGER NOT NULL,
    spec TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'building', 'retired'))
);
CREATE TABLE files (
    id TEXT PRIMARY KEY,
    path TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    modified INTEGER,
    size INTEGER
);
CREATE TABLE documents (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL,
    url TEXT NOT NULL,
    visibility TEXT NOT NULL CHECK (visibility IN ('public', 'private')),
    tags TEXT NOT NULL,
    date TEXT,
    changes_at REAL,
    language TEXT NOT NULL DEFAULT '',
    digest TEXT NOT NULL,
    recipe TEXT NOT NULL,
    indexed_at TEXT NOT NULL
);
CREATE TABLE chunks (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    document TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    headings TEXT NOT NULL,
    anchor TEXT NOT NULL,
    text TEXT NOT NULL,
    digest TEXT NOT NULL,
    embedded INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX chunks_by_document ON chunks (document);
CREATE INDEX chunks_by_digest ON chunks (digest);
CREATE INDEX chunks_by_generation ON chunks (embedded);
CREATE VIRTUAL TABLE keywords USING fts5 (
    heading, body, tokenize = "ascii tokenchars '{_TOKEN_PUNCTUATION}'"
);
CREATE VIRTUAL TABLE public_keywords USING fts5 (
    heading, body, tokenize = "ascii tokenchars '{_TOKEN_PUNCTUATION}'"
);
CREATE VIRTUAL TABLE keywords_places USING fts5vocab (keywords, instance);
CREATE VIRTUAL TABLE public_keywords_places USING fts5vocab (public_keywords, instance);
CREATE TABLE keyword_totals (
    visibility TEXT PRIMARY KEY,
    documents INTEGER NOT NULL,
    chunks INTEGER NOT NULL,
    tokens INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE vectors (
    digest TEXT NOT NULL,
    generation INTEGER NOT NULL,
    vector BLOB NOT NULL,
    -- with rowids: a row of this size would spill into an overflow page of its own in a WITHOUT ROWID tree
    PRIMARY KEY (digest, generation)
);
CREATE TABLE tombstones (
    chunk TEXT NOT NULL,
    visibility TEXT NOT NULL,
    PRIMARY KEY (chunk, visibility)
) WITHOUT ROWID;
PRAGMA user_version = {SCHEMA_VERSION};
"""


class Database:
    """Lends connections to the file at `path` to any thread, and reuses them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._idle: queue.LifoQueue[sqlite3.Connection] = queue.LifoQueue()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lends a connection whose statements all see the same state of the index.

        Raises:
            StaleIndexError: there is no index yet, or it is of another version of sitetwin.
            SitetwinError: the file can't be read.
        """
        if not self.path.exists():
            raise StaleIndexError("nothing is indexed yet: run `sitetwin index`")
        with self._connection() as connection:
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.rollback()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Lends a connection inside a transaction. If the block raises or the process ends, nothing of it is kept.

        Raises:
            SitetwinError: the file can't be written.
        """
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()

    def is_outdated(self) -> bool:
        """Whether the file was made by an earlier version of sitetwin."""
        if not self.path.exists():
            return False
        with _explained(self.path), closing(sqlite3.connect(self.path, timeout=BUSY_SECONDS)) as connection:
            return 0 < _version(connection) < SCHEMA_VERSION

    def check(self) -> None:
        """Reads the whole file.

        Raises:
            StaleIndexError: it is damaged, or of another version of sitetwin.
        """
        with self.writing() as connection:
            if (found := connection.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
                raise sqlite3.DatabaseError(found)
            for table in ("keywords", "public_keywords"):
                connection.execute(f"INSERT INTO {table} ({table}) VALUES ('integrity-check')")

    def close(self) -> None:
        """Closes the connections that are not lent."""
        while not self._idle.empty():
            self._idle.get_nowait().close()

    def remove(self) -> None:
        """Deletes the file, for a rebuild from nothing."""
        self.close()
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with _explained(self.path):
            try:
                connection = self._idle.get_nowait()
            except queue.Empty:
                connection = self._open()
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
            self._idle.put(connection)

    def _open(self) -> sqlite3.Connection:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SitetwinError(
                f"the index can't be kept in {self.path.parent} ({error}): mend that and run it again"
            ) from error
        connection = sqlite3.connect(
            self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, cached_statements=64
        )
        try:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA synchronous = NORMAL")
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        version = _version(connection)
        if version == 0:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")
            if _version(connection) == 0:  # no other process was quicker
                for statement in _SCHEMA.split(";\n"):
                    connection.execute(statement)
            connection.execute("COMMIT")
        elif version != SCHEMA_VERSION:
            raise StaleIndexError(
                f"the index is of another version of sitetwin ({version}, not {SCHEMA_VERSION}): run `sitetwin index --rebuild`"
            )


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise SitetwinError(
            f"the index {path} can't be used ({error}): mend that, then run `sitetwin index`"
        ) from error
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
            raise
        raise StaleIndexError(f"the index {path} is damaged ({error}): run `sitetwin index --rebuild`") from error
