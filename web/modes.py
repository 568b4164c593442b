"""How visitors are answered without Langflow. A file of its own: `sitetwin up` needs it before anything of the chat."""

from pipeline.errors import SettingsError
from pipeline.settings import FLOW_MODES, Mode, Settings


def direct_mode(settings: Settings) -> Mode:
    """The mode in which visitors are answered without Langflow: that of the flow `langflow.flow`.

    Raises:
        SettingsError: it is not one of sitetwin's own flows.
    """
    flow = settings.langflow.flow
    if flow not in FLOW_MODES:
        raise SettingsError(
            f"langflow.flow is {flow!r}, which can't run without Langflow: set it to one of {', '.join(FLOW_MODES)}, or "
            "set langflow.enabled = true and run `pip install 'sitetwin[langflow]'`"
        )
    return FLOW_MODES[flow]
