"""Tests of support.persistence, on data that Chroma itself has written."""
