"""Fetching and reading: the world's bytes become papers."""
