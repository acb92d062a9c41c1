"""A shop as files that people write: products, stock, accounts and locations, and their readers.

It must not know the bus's traffic: it produces records, and others send them.
"""

from pathlib import Path

SAMPLE = Path(__file__).parent / "sample"
"""The shop that comes with Storebus."""
