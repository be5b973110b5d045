"""Acts on many customers at once: previewed, in one unit of work, undone in one step; and the recycle bin."""
