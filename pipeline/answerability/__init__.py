"""Whether the notes can answer a question at all."""
