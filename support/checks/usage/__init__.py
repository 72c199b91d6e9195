"""The documented ways of using a release, each run as a user runs it."""
