"""`sitetwin up`: every process that a site's chat needs, started, watched and stopped together."""

import signal
import socket
import threading
from collections.abc import Callable

import psutil
from filelock import FileLock, Timeout

from flows import server as langflow
from flows.upgrading import Upgraded
from pipeline.errors import ServiceError
from pipeline.processes import engine, vectors
from pipeline.processes.endpoint import RunFiles, answers
from pipeline.processes.supervisor import Child, Member, ProcessRow, Shared, Supervisor
from pipeline.settings import FLOW_MODES, Settings
from pipeline.surroundings import python_module
from pipeline.weights import demo
from web.modes import direct_mode
from web.rows import RowsFile
from web.screen import UpScreen

LANGFLOW_START_SECONDS = 180


def up(settings: Settings, screen: UpScreen) -> None:
    """Start the site's processes, watch them, and stop them at Ctrl-C or SIGTERM.

    Raises:
        ServiceError: another `up` runs for this site, or a port is in use.
        SettingsError: `langflow.flow` can't run without Langflow.
        ModelError: the demo weights can't be fetched.
    """
    if not langflow.is_on(settings):
        direct_mode(settings)
    settings.run_directory.mkdir(parents=True, exist_ok=True)
    lock = FileLock(settings.run_directory / "up.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ServiceError(
            f"sitetwin up runs here already, at {settings.gateway.own_url}: use that one, or end it with Ctrl-C in its terminal"
        ) from None
    with lock:
        members = _members(settings)
        for member in members:
            if isinstance(member, Child):
                member.end_orphan()
        if langflow.is_on(settings):
            langflow.desk(settings).forget_links()
        _check_ports(settings)
        _fetch_weights(settings)
        _run(settings, members, screen)


def _run(settings: Settings, members: list[Member], screen: UpScreen) -> None:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: stop.set())
    rows = RowsFile(settings.run_directory)

    def say(row: ProcessRow) -> None:
        rows.write(member.row for member in members)
        screen.show(row)

    supervisor = Supervisor(members, {"watcher": ["vectors"]}, say, _order(settings))
    with screen.open([member.row for member in members], settings.gateway.own_url):
        rows.write(member.row for member in members)
        supervisor.start()
        while not stop.wait(0.25):
            screen.refresh()
        supervisor.stop()
        rows.remove()


def _members(settings: Settings) -> list[Member]:
    logs = settings.log_directory
    environment = {"SITETWIN_CONFIG": str(settings.file)}
    members: list[Member] = [
        Child(
            "gateway",
            python_module("web.gateway"),
            logs / "gateway.log",
            environment=environment,
            check=lambda: _check_gateway_port(settings),
            answers=lambda: answers(f"{settings.gateway.own_url}/healthz"),
            url=settings.gateway.own_url,
            run_directory=settings.run_directory,
        ),
        Shared(vectors.service(settings)),
        Child(
            "watcher",
            python_module("pipeline", "watch"),
            logs / "watcher.log",
            environment=environment,
            answers=lambda: RunFiles(settings.run_directory, "watcher").find() is not None,
            start_seconds=24 * 3600,
            waiting="indexing the notes",
            run_directory=settings.run_directory,
        ),
    ]
    if not settings.engine.url:
        members.append(Shared(engine.service(settings)))
    if langflow.is_on(settings):
        upgraded: list[Upgraded] = []
        members.append(
            Child(
                "langflow",
                langflow.command(settings),
                logs / "langflow.log",
                environment=langflow.environment(settings),
                check=lambda: _check_langflow_port(settings),
                answers=_langflow_answers(settings, upgraded),
                says=lambda: langflow.ready_text(settings, upgraded),
                start_seconds=LANGFLOW_START_SECONDS,
                url=langflow.base_url(settings),
                run_directory=settings.run_directory,
            )
        )
    return members


def _order(settings: Settings) -> dict[str, list[str]]:
    """By a member's name, who begins before it, so that the first answer comes soon.

    Langflow's start keeps a core busy for long, and until it runs the gateway answers. A quotation waits for no engine.
    """
    first, mode = ["gateway", "watcher"], FLOW_MODES.get(settings.langflow.flow)
    if mode and settings.quotes(mode):
        return {"engine": first, "langflow": first}
    return {"langflow": first if settings.engine.url else [*first, "engine"]}


def _langflow_answers(settings: Settings, upgraded: list[Upgraded]) -> Callable[[], bool]:
    """Whether Langflow runs and has its flows. Those that it renews then are put into `upgraded`."""

    def has_its_flows() -> bool:
        if not langflow.is_healthy(langflow.base_url(settings)):
            return False
        langflow.push_flows(settings)
        upgraded[:] = langflow.upgrade_flows(settings)
        return True

    return has_its_flows


def _fetch_weights(settings: Settings) -> None:
    """Fetches in the foreground, so that the progress bar is on the screen and not in a child's log."""
    if settings.models.embedder in demo.EMBEDDINGS:
        demo.EMBEDDINGS[settings.models.embedder].fetch()
    engine.fetch(settings)


def _check_ports(settings: Settings) -> None:
    _check_gateway_port(settings)
    if langflow.is_on(settings):
        _check_langflow_port(settings)


def _check_gateway_port(settings: Settings) -> None:
    _check_port(settings.gateway.host, settings.gateway.port, "gateway.port")


def _check_langflow_port(settings: Settings) -> None:
    _check_port("127.0.0.1", settings.langflow.port, "langflow.port")


def _check_port(host: str, port: int, setting: str) -> None:
    with socket.socket() as probe:
        # Without this option a port in TIME_WAIT would count as used.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ServiceError(
                f"port {port} can't be used ({error.strerror}{_holder(port)}): end that, or set another {setting} in sitetwin.toml"
            ) from None


def _holder(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp"):
            if (
                connection.laddr
                and connection.laddr.port == port
                and connection.status == psutil.CONN_LISTEN
                and connection.pid
            ):
                return f" by {psutil.Process(connection.pid).name()}, process {connection.pid}"
    except psutil.AccessDenied:
        # macOS shows other processes' sockets to root only, so the error names the port alone.
        pass
    return ""
