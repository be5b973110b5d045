"""Audit: what was said, kept exactly as it was received."""
