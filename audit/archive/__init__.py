"""The chat archive: sealed records pulled in order, opened when their key is known, shown as conversations."""
