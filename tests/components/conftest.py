import warnings

with warnings.catch_warnings():
    # Langflow's dependencies warn while they are imported; that is theirs to mend.
    warnings.simplefilter("ignore")
    import components.sitetwin.cited_answer
    import components.sitetwin.mlx_model
    import components.sitetwin.note_chunks
    import components.sitetwin.pair_review
    import components.sitetwin.retriever
    import components.sitetwin.teacher  # noqa: F401
