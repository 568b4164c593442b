"""Chunks to Chroma and a keyword index beside it: sync, search, status."""

from pipeline.index.index import Index

__all__ = ["Index"]
