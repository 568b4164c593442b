"""For mlx-lm: all splits under its own names, which are those of the data set."""

from pipeline.dataset.export import ROW_FILES, Format

MLX = Format(ROW_FILES)
