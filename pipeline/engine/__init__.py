"""The model server: one base with adapters laid over it, and all requests in one batch."""
