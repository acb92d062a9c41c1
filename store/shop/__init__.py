"""A shop as files that people write: products, stock, accounts, locations, and how to read them.

It must not know the bus's traffic: it gives records, and others send them.
"""

from pathlib import Path

SAMPLE = Path(__file__).parent / "sample"
"""The shop that comes with Storebus."""
