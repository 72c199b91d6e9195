"""Applies releases until they are live or refused, rolls them back, and tells how they are."""
