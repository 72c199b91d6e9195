"""Backups and restores, whole, interrupted or of broken files."""
