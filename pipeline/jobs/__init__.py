"""What runs for long in the background: the three phases, retraining."""
