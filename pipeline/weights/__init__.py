"""Weights: where they come from, how they lie on disk, and the libraries that multiply them."""
