"""Where a document is cut: one file for each chunker, and a line in `pipeline.parts.CHUNKERS`."""
