"""Remembering: the state file."""
