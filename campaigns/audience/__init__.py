"""Whom a campaign reaches, through which account, and whom it does not and why: tried out before, frozen when it starts."""
