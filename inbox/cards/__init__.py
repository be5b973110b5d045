"""Notices that also go to people's own app on a platform, as cards that open the right page."""
