"""Chroma's files on a volume: whether they hold together, and how what a kill has torn is mended.

Nothing here knows the rest of the suite: the integrity check of a release is this package, alone in an image.
What is read, and why it tears, is in docs/persistence.md.
"""
