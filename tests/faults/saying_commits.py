"""Commits products and says each on a line, until it is killed.

    python saying_commits.py DATABASE SYNCHRONOUS

SYNCHRONOUS is SQLite's: 2 (FULL) is what the product has, 1 (NORMAL) a bug that is planted here.
"""

import asyncio
import sys
from itertools import count
from pathlib import Path
from unittest.mock import patch

from bus.storage import connecting, journal
from nodes.catalog.store import SCHEMA as CATALOG


async def _commit(path: Path) -> None:
    with journal.Journal(path, CATALOG) as opened:
        for number in count():
            row = (f"product-{number}", f"urn:{number}")
            await opened.transact(
                lambda rows, row=row: rows.execute("INSERT INTO product VALUES (?, '', '', ?)", row)
            )
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    with patch.dict(connecting.PRAGMAS, synchronous=int(sys.argv[2])):
        asyncio.run(_commit(Path(sys.argv[1])))
