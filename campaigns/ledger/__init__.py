"""What becomes of each recipient's part: sent in one of three ways, once, with its state and reason at every moment."""
