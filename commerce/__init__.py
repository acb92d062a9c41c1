"""Prices and taxes as a shop writes and reckons them. Pure."""
