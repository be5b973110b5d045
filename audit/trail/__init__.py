"""Who looked at what: openings and searches gathered into lines of the trail, the page of the trail, its export."""
