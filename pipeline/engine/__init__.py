"""The model server: one base, adapters laid over it, every request in one batch."""
