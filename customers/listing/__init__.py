"""The list of customers: pages of any filter in any order, counts, views and segments."""
