"""Which of retrieval and training a site needs, and what is wrong with either, from the owner's own data."""
