"""Applies, refused or live, and platforms that name a host late."""
