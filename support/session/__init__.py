"""One run of pytest: its options, what its processes share, and how it ends."""
