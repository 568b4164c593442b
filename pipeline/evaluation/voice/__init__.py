"""How much answers sound like the author, between what other authors reach and what the author's own text reaches."""
