"""Codes that customers scan to add one of our people: made on the platform, counted, and followed by what is to happen then."""
