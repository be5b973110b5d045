"""What managers ask: who came and went, from where, how far they got, how long it took."""
