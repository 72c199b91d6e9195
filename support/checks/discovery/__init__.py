"""What a platform knows of a release, and code-server that reads it."""
