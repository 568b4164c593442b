"""The format of mlx-lm: all splits, under the names that the data set uses itself."""

from pipeline.dataset.export import ROW_FILES, Format

MLX = Format(ROW_FILES)
