"""Adapters that were trained elsewhere, made into the site's own."""
