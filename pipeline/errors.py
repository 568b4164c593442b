"""Every error a person or an agent is meant to read.

Each message is one line that says what is wrong and ends in the next step.
"""


class SitetwinError(Exception):
    """Shown to the user as it is: the command line prints it and exits with status 1."""


class SettingsError(SitetwinError):
    """`sitetwin.toml` or a SITETWIN_* variable is missing or wrong."""


class ContentError(SitetwinError):
    """One file can't be read as a document. It is reported in `status`; the others go on."""


class StaleIndexError(SitetwinError):
    """The index was never built, or was made with another embedder."""


class ModelError(SitetwinError):
    """Weights or a model server can't be had or used."""


class UnreadableError(ModelError):
    """A model's answer is not in the form that was asked for. Other questions may still be answered well."""


class ServiceError(SitetwinError):
    """A process that owns a resource (vectors, engine, Langflow) can't be started or reached."""
