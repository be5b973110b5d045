"""The public pool: what falls into it by itself, and who may take how much out of it."""
