"""The gateway's process."""

import uvicorn

from flows import server as langflow
from pipeline.settings import Settings, load_settings
from pipeline.surroundings import keep_private
from web.app import create_app
from web.backends import Backend, DirectBackend, FlowBackend, direct_mode
from web.rows import RowsFile


def choose_backend(settings: Settings) -> Backend:
    """The Langflow flow if Langflow is installed and switched on, else the pipeline in that flow's mode.

    Raises:
        SettingsError: Langflow is missing or off, and the flow is not one of sitetwin's own.
    """
    starting = RowsFile(settings.run_directory).starting
    if langflow.is_on(settings):
        return FlowBackend(
            langflow.base_url(settings), langflow.credentials(settings).api_key, settings.langflow.flow, starting
        )
    return DirectBackend(settings, direct_mode(settings), starting)


def main() -> None:
    """Serve the gateway until the process is ended."""
    settings = load_settings()
    keep_private(settings.state)
    app = create_app(settings, choose_backend(settings))
    uvicorn.run(app, host=settings.gateway.host, port=settings.gateway.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
