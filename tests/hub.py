"""A model hub on this machine, for huggingface_hub's client: slow, and it breaks off as often as it is told."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "a" * 40


class Hub:
    def __init__(self, name: str, folder: Path, breaks: int) -> None:
        self.name, self.folder, self.breaks = name, folder, breaks
        self.ranges: list[str] = []
        """Of the requests that went on within a file."""
        self.sent = 0
        """Bytes of files."""
        self.is_there = True


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.do_GET(is_head=True)

    def do_GET(self, is_head: bool = False) -> None:
        hub = self.hub
        if not self.hub.is_there or hub.name not in self.path:
            self.send_response(404)
            self.send_header("X-Error-Code", "RepoNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif "/tree/" in self.path:
            files = [file for file in sorted(hub.folder.iterdir()) if file.is_file()]
            self._json([{"type": "file", "path": f.name, "size": f.stat().st_size, "oid": _etag(f)} for f in files])
        elif self.path.startswith("/api/"):
            self._json({"id": hub.name, "modelId": hub.name, "sha": COMMIT, "siblings": []})
        else:
            self._file(hub.folder / self.path.rsplit("/", 1)[1], is_head)

    def _file(self, file: Path, is_head: bool) -> None:
        data = file.read_bytes()
        begin = 0
        if asked := self.headers.get("Range"):
            begin = int(asked.removeprefix("bytes=").split("-")[0])
            self.hub.ranges.append(asked)
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
        self.send_header("ETag", f'"{_etag(file)}"')
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", str(len(data) - begin))
        self.end_headers()
        if is_head:
            return
        if file.suffix == ".safetensors" and self.hub.breaks:
            self.hub.breaks -= 1
            data = data[: begin + (len(data) - begin) // 2]
            self.close_connection = True
        self.wfile.write(data[begin:])
        self.hub.sent += len(data) - begin

    def _json(self, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None: ...


def _etag(file: Path) -> str:
    return hashlib.sha1(file.read_bytes()).hexdigest()


@contextmanager
def serving(name: str, folder: Path, breaks: int = 0) -> Iterator[tuple[Hub, str]]:
    """The hub and its address.

    Args:
        name: of its only model, whose files are those of `folder`.
        breaks: how often the weights break off half-way.
    """
    hub = Hub(name, folder, breaks)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield hub, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
