"""A system: one way to answer, with a name. Some are built in, the owner's stand in `[evaluation.systems.NAME]`."""

from collections.abc import Sequence

from pipeline.adapters import promotions
from pipeline.errors import SettingsError
from pipeline.settings import Settings, SystemSettings


class System(SystemSettings):
    """One way to answer, with the name under which it is compared."""

    name: str

    @property
    def is_tuned(self) -> bool:
        """Whether an adapter answers."""
        return self.mode in ("lora", "hybrid")

    @property
    def reads_notes(self) -> bool:
        """Whether it looks passages up."""
        return bool(self.flow) or self.mode in ("rag", "hybrid")


BUILT_IN = {
    "base": SystemSettings(mode="base", persona=False),
    "persona": SystemSettings(mode="base"),
    "rag": SystemSettings(mode="rag", persona=False),
    "rag+persona": SystemSettings(mode="rag"),
    "lora": SystemSettings(mode="lora"),
    "hybrid": SystemSettings(mode="hybrid"),
}
"""lora and hybrid keep the persona: an adapter was trained with it before each question."""


def system_names(settings: Settings) -> list[str]:
    """The names of all systems: those that are built in, then the owner's."""
    return list(BUILT_IN | settings.evaluation.systems)


def find_system(settings: Settings, name: str) -> System:
    """The system called `name`. `lora:RUN` and `hybrid:RUN` answer under the adapter of that run, `flow:NAME` is that flow.

    Raises:
        SettingsError: there is none.
    """
    known = BUILT_IN | settings.evaluation.systems
    if record := known.get(name):
        return System(name=name, api_key=record.api_key, **record.model_dump())
    kind, _, adapter = name.partition(":")
    if adapter and kind == "flow":
        return System(name=name, flow=adapter)
    if adapter and kind in known and known[kind].mode in ("lora", "hybrid"):
        record = known[kind].model_copy(update={"adapter": adapter})
        return System(name=name, api_key=record.api_key, **record.model_dump())
    raise SettingsError(
        f"there is no system {name!r}: name one of {', '.join(known)}, lora:RUN, hybrid:RUN or flow:NAME, "
        f"or add [evaluation.systems.{name.replace(':', '-')}] to sitetwin.toml"
    )


def default_systems(settings: Settings) -> list[System]:
    """What can be compared as the site stands: with a persona only if there is one, with an adapter if one is promoted."""
    names = ["base", "rag"]
    if settings.persona.instruction:
        names = ["base", "persona", "rag", "rag+persona"]
    if promotions(settings):
        names += ["lora", "hybrid"]
    return [find_system(settings, name) for name in (*names, *settings.evaluation.systems)]


def chosen_systems(settings: Settings, names: Sequence[str], *, is_owner: bool) -> list[System]:
    """The systems of these names, each once; without names those that can be compared as the site stands.

    Args:
        settings: the site's settings.
        names: as `find_system` takes them.
        is_owner: whether every system may be named. Others may name what is compared without names.

    Raises:
        SettingsError: there is none of a name, or it may not be named.
    """
    offered = {system.name: system for system in default_systems(settings)}
    wanted = list(dict.fromkeys(names)) or list(offered)
    if not is_owner and (unknown := [name for name in wanted if name not in offered]):
        raise SettingsError(f"there is no {unknown[0]!r} here: name some of {', '.join(offered)}")
    return [offered.get(name) or find_system(settings, name) for name in wanted]
