"""Deciding: which papers are new, wanted and trending. Pure: no network, no clock, no randomness."""
