"""Text that PostgreSQL can keep and a list can show."""

from __future__ import annotations

from typing import Any

PREVIEW_LENGTH = 120


def clean(text: str) -> str:
    """Without NUL and lone surrogates, which no database text may hold."""
    if "\x00" in text:
        text = text.replace("\x00", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def clean_json(value: Any) -> Any:
    """The same for a JSON value, at any depth."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(str(key)): clean_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean_json(item) for item in value]
    return value


def preview(text: str) -> str:
    """One line for the conversation list."""
    return " ".join(text[: PREVIEW_LENGTH * 2].split())[:PREVIEW_LENGTH]
