"""Files to documents and chunks: Markdown, MDX, Astro, Obsidian."""

from pipeline.content.sources import read_changed, read_file, read_sources, version_of

__all__ = ["read_changed", "read_file", "read_sources", "version_of"]
