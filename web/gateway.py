"""The gateway's process."""

from functools import partial

import uvicorn

from flows import server as langflow
from pipeline.processes.left_out import note_left_out
from pipeline.settings import FLOW_MODES, Mode, Settings, load_settings
from pipeline.surroundings import keep_private
from web.app import create_app
from web.backends import Backend, DirectBackend, EarlyBackend, FlowBackend
from web.modes import direct_mode
from web.owner import new_key
from web.rows import RowsFile


def choose_backend(settings: Settings) -> Backend:
    """The Langflow flow if Langflow is installed and switched on, else the pipeline in that flow's mode.

    While Langflow starts, the pipeline answers for a flow of sitetwin's that nobody has changed.

    Raises:
        SettingsError: Langflow is missing or off, and the flow is not one of sitetwin's own.
    """
    rows = RowsFile(settings.run_directory)

    def directly(mode: Mode) -> DirectBackend:
        unneeded = ("langflow", "engine") if settings.quotes(mode) else ("langflow",)
        return DirectBackend(settings, mode, partial(rows.starting, besides=unneeded))

    if not langflow.is_on(settings):
        return directly(direct_mode(settings))
    name = settings.langflow.flow
    flow = FlowBackend(
        langflow.base_url(settings),
        langflow.credentials(settings).api_key,
        name,
        rows.starting,
        partial(note_left_out, settings, name),
        settings.langflow.visitors_kept_days,
        langflow.own_database(settings),
    )
    if name not in FLOW_MODES:
        return flow
    return EarlyBackend(flow, directly(FLOW_MODES[name]), partial(langflow.serves_shipped, settings))


def main() -> None:
    """Serve the gateway until the process is ended."""
    settings = load_settings()
    keep_private(settings.state)
    app = create_app(settings, choose_backend(settings), owner_key=new_key(settings.run_directory))
    uvicorn.run(app, host=settings.gateway.host, port=settings.gateway.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
