"""Alembic's folder: `env.py` is run by it, `versions` holds one script per version of the tables."""
