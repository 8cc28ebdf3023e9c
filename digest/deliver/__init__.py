"""Handing over: a mail becomes a receipt."""
