"""llama.cpp's model files (GGUF): which families sitetwin knows, and how they become a folder that `mlx_lm.load` opens.

The `gguf` package, llama.cpp's own, knows the format, the names of the tensors and the quantisations. What it leaves to
each converter is here: the configuration, the order of rows, and the tokenizer.
"""
