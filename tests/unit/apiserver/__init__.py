"""The way to an API server."""
