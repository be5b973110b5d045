"""In whose name an audience is read: a campaign is for the whole company, whatever its writer sees."""

from __future__ import annotations

from scrm.permissions import OF_ROLE, Principal

COMPANY = Principal(0, "", "", "admin", OF_ROLE["admin"], "all", "zh-CN", (), None, None)
"""The company itself: sees everybody, phones included, and is nobody's colleague."""
