"""An evaluation as a page for people: Markdown, and one HTML file that needs no network."""
