"""Chunks to Chroma and a keyword index: sync, search, status."""
