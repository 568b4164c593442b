"""Work that runs for long in the background: the three phases, and retraining."""
