"""Measures how right answers are, and how well the search finds: golden questions, scores, comparisons."""
