"""Bare programs that do only what no implementation can avoid."""
