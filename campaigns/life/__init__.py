"""The life of a campaign: written, approved, scheduled, started, paused, ended."""
