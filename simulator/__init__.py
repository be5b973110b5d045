"""The server side of each platform, as real HTTP servers as strict as the platforms."""
