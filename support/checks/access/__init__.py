"""Callers at the routes to a release, and how each is answered."""
