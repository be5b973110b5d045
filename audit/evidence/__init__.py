"""A chain of hashes over what was said and done, and evidence taken out of it."""
