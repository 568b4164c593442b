"""Converts llama.cpp's model files (GGUF) of known families into a folder that `mlx_lm.load` opens.

llama.cpp's own `gguf` package handles the format, the names of the tensors and the quantisations. This room handles what
the package leaves to each converter: the configuration, the order of rows, and the tokenizer.
"""
