"""One chat in the place of audit: what is known about it, and the line in the trail that somebody looked."""
