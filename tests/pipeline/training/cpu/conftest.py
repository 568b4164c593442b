from pipeline.training.cpu import fit

# What is compiled for a Linux CPU is installed there only.
collect_ignore_glob = [] if fit.is_here() else ["test_*.py"]
