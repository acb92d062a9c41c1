"""A terminal in a process of its own that buys on its own, and goes on when it was killed.

    python buying_terminal.py NAME BROKER_URL DATA ORDERS

Says so once all its orders are reminded, and stays on the bus: what it answered may get lost.
"""

import asyncio
import sys
from pathlib import Path

from customers import customers_at

from bus.text.console import output
from cli.run import run

SERVED = "all are reminded"


async def buy_all(name: str, url: str, data: Path, orders: int) -> None:
    """Begin what was not begun in an earlier life, and wait for everything."""
    async with customers_at(data, url, name) as customers:
        (terminal,) = customers.terminals
        known = [(terminal, bought.id) for bought in terminal.purchases()]
        for number in range(len(known), orders):
            await customers.buy(number)
        customers.begun += known
        await customers.all_served()
        output.print(SERVED)
        await asyncio.Event().wait()


if __name__ == "__main__":
    run(buy_all(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4])))
