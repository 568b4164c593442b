"""The ways to answer that are compared, and how one question is asked of one of them."""

from pipeline.evaluation.systems.asking import Found, OpenSystem, Usage
from pipeline.evaluation.systems.system import System, chosen_systems, default_systems, find_system, system_names

__all__ = ["Found", "OpenSystem", "System", "Usage", "chosen_systems", "default_systems", "find_system", "system_names"]
