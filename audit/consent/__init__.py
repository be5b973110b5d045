"""Whose chats a platform archives, and which customers agreed to it."""
