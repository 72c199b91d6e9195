"""Tries set-up and a run on other distributions, each from a root tree of its own; `make test-distributions`."""
