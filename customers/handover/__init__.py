"""Handing over much at once: from somebody, from somebody who leaves, from an account that was banned."""
