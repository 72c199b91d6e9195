"""Chroma as its users reach it: the client, collections and databases."""
