"""Data sets in the form that others train on: one file for each, and a line in `pipeline.parts.DATASET_FORMATS`."""
