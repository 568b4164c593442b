"""The gateway: the one public port, with the site's page, the chat widget and the stream of answers."""
