"""The roles of a shop's nodes, by name. A process imports only the roles that it runs."""

import asyncio
import os
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from broker.child import stop
from broker.supervisor import Supervisor
from bus.contract.channel import ROLES, role_of
from bus.contract.errors import ConfigurationError
from bus.contract.settlement import Seller
from bus.contract.warehouse import PickupPoints
from bus.runtime.role import Role
from bus.storage.private import make_folder
from bus.text.console import output
from nodes.settlement.settings import SettlementSettings
from nodes.warehouse.settings import WarehouseSettings
from store.settings import Settings
from store.shop.reader import Shop

if TYPE_CHECKING:
    from devices.sorter.drivers import Driver
    from nodes.settlement.acquirer.client import Acquirer


@dataclass(frozen=True, slots=True)
class RoleFactory:
    """Makes the roles of one store, anew for each start of a node.

    Shops, scenarios, the simulation and the tests put their stores together with it.

    Args:
        points: the pickup points.
        locations: the storage locations.
        driver: of a sorter, by its name; None where no sorter is made.
        acquirer: the payment provider's client; None where no cards are taken.
        seller: who stands on receipts.
        settlement: how long settlement waits for whom; its defaults if None.
        warehouse: the same of the warehouse.
    """

    points: PickupPoints
    locations: Sequence[str]
    driver: Callable[[str], "Driver"] | None
    acquirer: Callable[[], "Acquirer | None"] = lambda: None
    seller: Seller | None = None
    settlement: SettlementSettings | None = None
    warehouse: WarehouseSettings | None = None

    def role(self, name: str) -> Role:
        """The role that a node of this name plays.

        Raises:
            ConfigurationError: it is neither a server role nor a sorter.
        """
        match role_of(name):
            case "catalog":
                from nodes.catalog.role import Catalog

                return Catalog().role
            case "settlement":
                from nodes.settlement.role import Settlement

                return Settlement(self.acquirer(), self.settlement, self.seller).role
            case "warehouse":
                from nodes.warehouse.role import Warehouse

                return Warehouse(self.points, list(self.locations), self.warehouse).role
            case "sorter" if self.driver is not None:
                from devices.sorter.role import Sorter

                return Sorter(self.driver(name)).role
        raise ConfigurationError(f"{name} is no node that can be started.")


def roles_of_shop(
    shop: Shop,
    settings: Settings,
    acquirer: "Acquirer | None" = None,
    driver: Callable[[str], "Driver"] | None = None,
) -> RoleFactory:
    """The roles of a shop; `driver` is that of a sorter, by its name, if one is made."""
    return RoleFactory(
        PickupPoints(points=list(shop.pickup_points), default=shop.default_pickup_point),
        [location.location for location in shop.locations],
        driver,
        lambda: acquirer,
        Seller(name=shop.name, address=shop.address, tax_number=shop.tax_number),
        settings.settlement,
        settings.warehouse,
    )


def server_roles(
    shop: Shop, acquirer: "Acquirer | None", settings: Settings | None = None
) -> dict[str, Role]:
    """The three server roles of a shop, by name."""
    roles = roles_of_shop(shop, settings or Settings(), acquirer)
    return {name: roles.role(name) for name in sorted(ROLES)}


@contextmanager
def sorter_role(name: str, shop: Shop, settings: Settings) -> Iterator[Role]:
    """A sorter role with the simulated conveyor of the shop's layout."""
    from devices.sorter.drivers import SimulatedConveyor

    record = settings.data / f"{name}.conveyor.jsonl"
    driver = SimulatedConveyor(shop.layout, record, settings.speed)
    try:
        yield roles_of_shop(shop, settings, driver=lambda _: driver).role(name)
    finally:
        driver.close()


@asynccontextmanager
async def acquirer_client(settings: Settings) -> AsyncIterator["Acquirer | None"]:
    """The payment provider's client; the simulated provider runs as a child process."""
    if settings.acquirer == "none":
        yield None
        return
    from nodes.settlement.acquirer.client import Acquirer

    if settings.acquirer != "simulated":
        async with Acquirer(settings.acquirer) as client:
            yield client
        return
    async with simulated_acquirer(settings.data / "acquirer.jsonl") as url, Acquirer(url) as client:
        yield client


@asynccontextmanager
async def simulated_acquirer(log: Path, *options: str) -> AsyncIterator[str]:
    """Run the simulated acquirer as a process, restarted if it dies; yield its URL.

    Raises:
        ConfigurationError: it did not start.
    """
    make_folder(log.parent)
    program = _SimulatedAcquirer(log, options)
    acquirer = Supervisor(program, output.print)
    await acquirer.open()
    try:
        yield program.url
    finally:
        await acquirer.close()


class _SimulatedAcquirer:
    """The process of the simulated acquirer; a restart keeps its port."""

    title = "The simulated card acquirer"

    def __init__(self, log: Path, options: tuple[str, ...]) -> None:
        self.url = ""
        self._log, self._options = log, options

    async def start(self) -> Process:
        """Start the process and wait until it listens.

        Raises:
            ConfigurationError: it does not.
        """
        port = self.url.rpartition(":")[2] or "0"
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "acquirer"),
            *("--port", port, "--exit-with-parent", "--log", str(self._log), *self._options),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
        try:
            assert process.stdout is not None
            ready = (await process.stdout.readline()).decode()
        except BaseException:
            await stop(process)
            raise
        if "http" not in ready:
            await stop(process)
            raise ConfigurationError("the simulated acquirer did not start; see above")
        self.url = ready.split()[-1]
        return process

    def last_words(self) -> str:
        """Empty: its output is in its own file."""
        return ""
