"""Files to documents and chunks: Markdown, MDX, Astro, Obsidian."""
