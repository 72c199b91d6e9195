"""Copies a release's data to a file and back."""
