"""Files to documents and chunks: Markdown, MDX, Astro, Obsidian."""

from pipeline.content.sources import read_changed, read_file, read_sources, version_of, with_governed

__all__ = ["read_changed", "read_file", "read_sources", "version_of", "with_governed"]
