"""The gateway: the only public port. It serves the site's pages, the chat widget and the streamed answers."""
