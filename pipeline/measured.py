"""Numbers that were measured, in records on disk: JSON has no NaN and no infinity, and a record must read what it wrote."""

import math
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict


class Measured(BaseModel):
    """A record of measurements. NaN and infinities are written as strings, which are read as numbers again.

    pydantic asks each class for this, not the record around it: every class with a measured number derives from here.
    """

    model_config = ConfigDict(ser_json_inf_nan="strings")


Number = Annotated[float, BeforeValidator(lambda value: math.nan if value is None else value)]
"""Read as NaN where the file has null, as version 0.1.0 wrote it."""
