"""Posts in members' Moments: asked of the platform once, published by each member, seen through to likes and comments."""
