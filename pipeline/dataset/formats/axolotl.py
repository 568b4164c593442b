"""The format of axolotl: chat rows, and the configuration that trains on them with the values of the preset `best`."""

from pipeline.dataset.export import ROW_FILES, Format
from pipeline.dataset.formats.trl import SCRIPTS

AXOLOTL = Format(ROW_FILES, beside={"config.yml": SCRIPTS / "axolotl.yml"})
