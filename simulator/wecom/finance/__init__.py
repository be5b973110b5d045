"""The vendor's chat archive library, played: C with the documented interface, compiled where it is needed."""
