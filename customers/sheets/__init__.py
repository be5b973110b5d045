"""Customers in and out by the sheet: imports with a dry run, exports with their columns."""
