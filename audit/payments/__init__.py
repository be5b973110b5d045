"""Money: what was seen of it on the platforms, and what was said of it in chats."""
