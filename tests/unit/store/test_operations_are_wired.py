"""Whatever the contract lets others ask of a node is wired there."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bus.contract import OPERATIONS
from bus.link import MemoryBroker
from bus.runtime.deployment import Deployment
from bus.runtime.role import Role
from devices.sorter.drivers import SimulatedConveyor
from devices.sorter.role import Sorter
from devices.terminal.role import Terminal
from store.roles import server_roles
from store.shop import SAMPLE
from store.shop.reader import read_shop

HOME = {
    "catalog": "nodes/catalog", "settlement": "nodes/settlement", "warehouse": "nodes/warehouse",
    "sorter": "devices/sorter", "terminal": "devices/terminal",
}  # fmt: skip


@pytest.fixture
def roles(tmp_path: Path) -> Iterator[dict[str, Role]]:
    """By kind, what each plays."""
    shop = read_shop(SAMPLE)
    terminal = Terminal("terminal-1", Deployment(MemoryBroker(), "main", tmp_path))
    driver = SimulatedConveyor(shop.layout, tmp_path / "conveyor.jsonl")
    with closing(driver), closing(terminal._screen):
        yield {
            **server_roles(shop, None),
            "sorter": Sorter(driver).role,
            "terminal": terminal.role,
        }


@pytest.mark.parametrize("kind", HOME)
def test_each_kind_of_node_answers_every_operation_of_its_kind(
    kind: str, roles: dict[str, Role]
) -> None:
    role = roles[kind]
    for (callee, name), operation in OPERATIONS.items():
        wired = role.queries if operation.kind == "query" else role.commands
        assert callee != kind or operation in wired, (
            f"{kind} has no handler for the {operation.kind} {name}: wire it in"
            f" {HOME[kind]}/role.py"
        )
    unknown = [each.name for each in (*role.queries, *role.commands)
               if (kind, each.name) not in OPERATIONS]  # fmt: skip
    assert not unknown, "the contract does not declare them in bus/contract"
