"""Writing: a digest becomes a mail. Pure but for reading templates."""
