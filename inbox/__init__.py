"""Conversations, messages, replies, assignment."""
