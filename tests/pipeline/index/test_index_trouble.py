"""Full disks, folders that can't be written, two processes, and a vector store that is killed."""

import multiprocessing
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from pipeline.errors import SitetwinError
from pipeline.index.dense import VISIBILITIES, VectorStore
from pipeline.processes import vectors
from pipeline.settings import ContentSource, RetrievalSettings, Settings
from pipeline.site import Site
from tests.pipeline.index.test_index_kill import ACTIVE, AFTER, BEFORE, fill

TEXT = "# Note {0}\n\n" + "A gannet dived from {0} metres. " * 40


def settings_of(root: Path, mode: str = "keyword") -> Settings:
    source = ContentSource(path=Path("notes"), visibility="public")
    return Settings(root=root, content=[source], retrieval=RetrievalSettings(mode=mode))


def write(root: Path, numbers: range) -> None:
    (root / "notes").mkdir(parents=True, exist_ok=True)
    for number in numbers:
        (root / f"notes/n{number}.md").write_text(TEXT.format(number), encoding="utf-8")


def sync(root: Path, limit: int, user: int, answers: "multiprocessing.Queue[str]") -> None:
    """In a process of its own, of another user and with files of `limit` bytes at most, if they are not 0."""
    with Site(settings_of(root)).index():
        from pipeline.content import chunking  # noqa: F401  while all files may be read
    if limit:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    if user:
        os.setuid(user)
    try:
        with Site(settings_of(root)).index() as index:
            answers.put(index.sync().summary())
    except SitetwinError as error:
        answers.put(f"error: {error}")


def synced(root: Path, *, limit: int = 0, user: int = 0) -> str:
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    process = context.Process(target=sync, args=(root, limit, user, answers))
    process.start()
    answer = answers.get(timeout=60)
    process.join()
    return answer


def test_a_full_disk_is_told_and_what_was_indexed_stays(tmp_path):
    write(tmp_path, range(5))
    assert synced(tmp_path).startswith("5 added")
    write(tmp_path, range(5, 400))
    said = synced(tmp_path, limit=300_000)
    assert said.startswith("error: the index ")
    assert "mend that" in said
    with Site(settings_of(tmp_path)).index() as index:
        assert len(index.documents()) >= 5
        index.sync()
        assert len(index.documents()) == 400
        assert index.search("gannet from 399 metres").passages[0].document == "notes/n399.md"


@pytest.mark.skipif(os.geteuid() != 0, reason="gives up root's rights to be refused")
@pytest.mark.parametrize("shut", ["vault", "state"])
def test_folders_that_can_only_be_read(tmp_path, shut):
    write(tmp_path, range(3))
    (tmp_path / ".sitetwin").mkdir()
    os.chown(tmp_path / ".sitetwin", 65534, 65534)
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):
        folder.chmod(0o755)
    if shut == "vault":
        (tmp_path / "notes").chmod(0o555)
        assert synced(tmp_path, user=65534).startswith("3 added")
    else:
        os.chown(tmp_path / ".sitetwin", 0, 0)
        said = synced(tmp_path, user=65534)
        assert said.startswith("error: ")
        assert f"can't be kept in {tmp_path / '.sitetwin'} " in said


def test_many_syncs_at_once_in_many_processes(tmp_path):
    write(tmp_path, range(60))
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    processes = [context.Process(target=sync, args=(tmp_path, 0, 0, answers)) for _ in range(4)]
    for process in processes:
        process.start()
    said = sorted(answers.get(timeout=60).split(";")[0] for _ in processes)
    for process in processes:
        process.join()
    assert said == ["60 added", "60 unchanged", "60 unchanged", "60 unchanged"]
    with Site(settings_of(tmp_path)).index() as index:
        assert len(index.documents()) == 60
        assert index.sync().is_quiet


class Killing:
    """An embedder that ends the vector store's process when it has embedded so many batches."""

    def __init__(self, embedder, settings, batches):
        self.name, self.dimension, self.spec = embedder.name, embedder.dimension, getattr(embedder, "spec", "")
        self._embedder, self._settings, self._batches = embedder, settings, batches

    def embed(self, texts):
        self._batches -= 1
        if self._batches == 0:
            endpoint = vectors.service(self._settings).find()
            os.kill(endpoint.pid, signal.SIGKILL)
            psutil.Process(endpoint.pid).wait(30)
        return self._embedder.embed(texts)


def held(site):
    """Files, tombstones, and how many chunks the real store lacks; it serves no more than our own client asks for."""
    with closing(sqlite3.connect(site.settings.state / "index.db")) as database:
        files = sorted(database.execute("SELECT id, state FROM files"))
        tombstones = database.execute("SELECT * FROM tombstones").fetchall()
        (chunks,) = database.execute("SELECT COUNT(*) FROM chunks").fetchone()
        (active,) = database.execute(ACTIVE).fetchone()
    store = VectorStore(site.connect)
    return files, tombstones, chunks - sum(store.count(active, visibility) for visibility in VISIBILITIES)


@pytest.mark.slow
@pytest.mark.parametrize("batches", [1, 2, 3])
@pytest.mark.parametrize("rebuild", [False, True])
def test_a_vector_store_killed_in_the_midst_of_a_sync(site, monkeypatch, batches, rebuild):
    """The real service: it is started again, and what it lost is stored again."""
    monkeypatch.setattr("pipeline.index.vector_sync.BATCH", 3)
    monkeypatch.setattr(site, "connect", lambda: vectors.connect(site.settings))
    site.index.close()
    site.index = site.open()
    try:
        fill(site, BEFORE)
        site.index.sync()
        fill(site, AFTER)
        with site.open(Killing(site.embedder, site.settings, batches)) as index:
            index.sync(rebuild=rebuild)
            index.sync()
        left = held(site)
        found = [site.found(query) for query in ("new words", "turns private", "not there")]
        shutil.rmtree(site.settings.state / "index.db", ignore_errors=True)
        site.index.sync(rebuild=True)
        assert [site.found(query) for query in ("new words", "turns private", "not there")] == found
        assert left == (sorted((f"notes/{name}", "read") for name in AFTER), [], 0)
    finally:
        if endpoint := vectors.service(site.settings).find():
            vectors.service(site.settings).stop(endpoint)


@pytest.mark.slow
def test_a_watcher_killed_in_a_burst_leaves_what_the_next_one_finishes(tmp_path):
    (tmp_path / "sitetwin.toml").write_text(
        '[[content]]\npath = "notes"\nvisibility = "public"\n[retrieval]\nmode = "keyword"\n', encoding="utf-8"
    )
    command = [sys.executable, "-m", "pipeline", "--config", str(tmp_path / "sitetwin.toml"), "watch"]
    for turn in range(3):
        write(tmp_path, range(turn * 200, turn * 200 + 200))
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
            if turn == 2:
                assert any("added" in line for line in process.stderr)
                process.terminate()
            else:
                database = tmp_path / ".sitetwin/index.db"
                while not database.exists():
                    os.sched_yield()
                process.kill()
    with Site(settings_of(tmp_path)).index() as index:
        assert len(index.documents()) == 600
        assert index.sync().is_quiet
