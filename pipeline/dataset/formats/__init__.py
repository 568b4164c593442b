"""The formats in which data sets are exported: one file each, and one line in `pipeline.parts.DATASET_FORMATS`."""
