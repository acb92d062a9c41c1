"""Wires settlement's decisions to its channels."""

from dataclasses import replace

from bus.contract.catalog import RELEASE, RESERVE
from bus.contract.every import ALARMS_STATE, PRESENCE, Alarms, Presence
from bus.contract.settlement import (
    ADJUST,
    CANCEL,
    COLLECT,
    DELIVERED,
    DEPOSIT,
    FAILED,
    ORDER,
    ORDERS,
    PAYMENT_METHODS_STATE,
    PURCHASE,
    READY,
    REFUSALS,
    RENAME,
    RESOLVE,
    STATEMENT,
    PaymentMethods,
    Seller,
)
from bus.contract.terminal import REMIND
from bus.contract.warehouse import PICKUP_POINTS_STATE, WITHDRAW, PickupPoints
from bus.runtime.deliveries import delivered
from bus.runtime.requests import Observed
from bus.runtime.role import Role
from bus.runtime.unit_of_work import UnitOfWork
from nodes.settlement import accounts, orders, store, unresolved
from nodes.settlement.acquirer.client import Acquirer
from nodes.settlement.card_calls import CardCalls
from nodes.settlement.payments import AccountMethod, CardMethod, Methods
from nodes.settlement.pickup import Pickup
from nodes.settlement.purchasing import Purchasing
from nodes.settlement.resolving import Resolving
from nodes.settlement.settings import SettlementSettings
from nodes.settlement.undoing import Undoing

_WAREHOUSE_ALARMS = replace(ALARMS_STATE, owner="warehouse")
"""Those of the other nodes hold up no order."""


class Settlement:
    """The second server role.

    Args:
        acquirer: the payment provider's client, or None where the store takes no cards.
        settings: how long it waits for a customer.
        seller: who stands on the receipts.
    """

    def __init__(
        self,
        acquirer: Acquirer | None = None,
        settings: SettlementSettings | None = None,
        seller: Seller | None = None,
    ) -> None:
        settings = settings or SettlementSettings()
        methods: Methods = {
            "account": AccountMethod(),
            "card": CardMethod(taken=acquirer is not None),
        }
        undoing = Undoing(methods)
        purchasing = Purchasing(methods, undoing, seller)
        pickup = Pickup(undoing, settings)
        resolving = Resolving(methods)
        card_calls = CardCalls(
            acquirer,
            purchasing.charged,
            undoing.refunded,
            unresolved.refund_refused,
            unresolved.let_in,
            round(settings.acquirer_again * 1000),
        )
        taken = PaymentMethods(methods=["account"] if acquirer is None else ["account", "card"])
        self.role = Role(
            kind="settlement",
            schemas=(store.SCHEMA,),
            queries={
                ORDER: pickup.show,
                ORDERS: orders.list_orders,
                REFUSALS: unresolved.show,
                STATEMENT: accounts.statement,
                DELIVERED: delivered,
            },
            long_queries=frozenset({ORDERS, REFUSALS, STATEMENT}),
            commands={
                PURCHASE: purchasing.purchase,
                READY: pickup.ready,
                FAILED: undoing.failed,
                COLLECT: pickup.collect,
                CANCEL: undoing.cancel,
                RESOLVE: resolving.resolve,
                DEPOSIT: accounts.deposit,
                ADJUST: accounts.adjust,
                RENAME: accounts.rename,
            },
            answers={
                RESERVE: purchasing.reserved,
                REMIND: pickup.reminded,
                RELEASE: undoing.released,
                WITHDRAW: undoing.withdrawn,
            },
            watches={PICKUP_POINTS_STATE: _points, _WAREHOUSE_ALARMS: _alarms, PRESENCE: _presence},
            timers=(pickup.timer, *card_calls.timers),
            adapters=card_calls.adapters,
            states=lambda _: [(PAYMENT_METHODS_STATE, taken)],
            alarms=unresolved.alarms,
        )


def _points(unit: UnitOfWork, observed: Observed[PickupPoints]) -> None:
    if observed.node == "warehouse":
        store.save_pickup_points(unit.connection, observed.data)


def _presence(unit: UnitOfWork, observed: Observed[Presence]) -> None:
    """Watched so that what waits for a terminal is sent as soon as it is back."""


def _alarms(unit: UnitOfWork, observed: Observed[Alarms]) -> None:
    if observed.node == "warehouse":
        store.save_alarms(unit.connection, observed.data)
