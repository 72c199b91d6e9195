"""Chroma's files on a volume: whether they hold together, and how what a kill has torn is mended.

Of the rest of the suite this knows the root of its errors alone, so that it works in an image of its own.
What is read, and why it tears, is in docs/persistence.md.
"""
