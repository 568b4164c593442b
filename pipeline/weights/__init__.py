"""Weights: where they come from, how they are stored, and the libraries that multiply them."""
