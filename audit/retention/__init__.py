"""How long what is kept, what must be kept longer, and one person's data: given to them, or erased."""
