"""Customers and the contacts behind them."""
