"""How soon the kiosk answers a key: from the key press to the screen that changed.

`python -m benchmarks.kiosk`. A store and `storebus kiosk` in processes of their own; a customer
presses keys on a terminal of 80x24.
"""

import argparse
import os
import tempfile
from pathlib import Path

from benchmarks.measuring import percentiles, store, usage_of
from benchmarks.operator import Operator, has, running_on_terminal
from bus.text.console import output
from cli.run import run

ROUNDS = 40
_SIZE = (24, 80)


async def visits(customer: Operator, rounds: int) -> dict[str, list[float]]:
    """Look around as a customer; returns the seconds from each key to what it changed."""
    taken: dict[str, list[float]] = {
        name: [] for name in ("a letter typed", "another page", "back", "another style", "found")
    }
    for _ in range(rounds):
        await customer.press("o", has("o"))
        for typed in ("ox", "oxf", "oxfo"):
            taken["a letter typed"].append((await customer.press(typed[-1], has(typed))).seconds)
        taken["found"].append((await customer.press("\r", has("button-down"))).seconds)
        for _ in range(3):
            taken["another style"].append((await customer.press("\x1b[B", has("●"))).seconds)
        await customer.press("\t\t\t\t\t", has("Cart"))
        taken["another page"].append((await customer.press("\r", has("Your cart"))).seconds)
        taken["back"].append((await customer.press("\r", has("Welcome"))).seconds)
    return taken


async def bench(rounds: int) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory(prefix="storebus-kiosk-") as folder:
        data = Path(folder) / "store"
        async with store("mosquitto", data):
            url = (data / "broker-url").read_text().strip()
            arguments = ("kiosk", "terminal-7", "--broker", url, "--language", "en")
            arguments += ("--data", str(Path(folder) / "kiosk"))
            async with running_on_terminal(*arguments, size=_SIZE, ready="Welcome") as customer:
                taken = await visits(customer, rounds)
                resident = usage_of(customer.process.pid).resident
    every = [each for kind in taken.values() for each in kind]
    half, most = percentiles(every)
    output.print(
        f"kiosk, key press to screen change: p50 {half}, p99 {most} (aim: p50 <= 50 ms);"
        f" resident {resident / 1e6:.0f} MB"
    )
    for name, each in taken.items():
        half, most = percentiles(each)
        output.print(f"    {name}: p50 {half}, p99 {most} of {len(each)}")


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(prog="benchmarks.kiosk", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    os.environ["STOREBUS_KIOSK__SETTLE"] = "0"  # this customer is faster than any double tap
    output.print(f"{options.rounds} visits, {os.cpu_count()} processors")
    run(bench(options.rounds))


if __name__ == "__main__":
    main()
