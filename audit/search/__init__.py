"""Finding any sentence ever said, by whoever may."""
