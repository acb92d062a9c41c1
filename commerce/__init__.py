"""Prices and taxes: pure arithmetic and formatting that every role and device may use."""
