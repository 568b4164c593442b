import importlib
import warnings
from pathlib import Path

import components
from pipeline.weights import blas

# Before a module of these tests imports MLX.
blas.preload(1)

with warnings.catch_warnings():
    # Langflow's dependencies warn while they are imported; that is theirs to mend.
    warnings.simplefilter("ignore")
    for file in sorted(Path(components.__file__ or "").with_name("sitetwin").glob("*.py")):
        importlib.import_module(f"components.sitetwin.{file.stem}")
