"""One folder per platform; see docs/writing-an-adapter.md."""
