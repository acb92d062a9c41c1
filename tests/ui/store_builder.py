"""Tells a console's model of a store by hand: a state or an alarm in a line or two."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from console_fixtures import START, model

from bus.contract.timestamp import rfc3339
from bus.history.message import Message
from bus.link import Incoming
from tui.app import Console
from tui.model.store import StoreModel

SECOND, MINUTE = 1_000, 60_000
ROLES = ("settlement", "catalog", "warehouse")


def say(
    store: StoreModel, kind: str, names: str, data: object, at: int = START, **more: object
) -> Message:
    """Let a model hear something on a topic of the contract."""
    payload = json.dumps({"id": f"m-{store.history.heard}", "data": data, **more}).encode()
    (message,) = store.take(at, [Incoming(f"{store.topics.root}/{kind}/{names}", payload)])
    return message


class StoreBuilder:
    """A store that is told by hand; each method returns the builder, so that they can be chained.

    Args:
        store: the model; a new one if None.
        at: when it begins, in milliseconds since the epoch.
    """

    def __init__(self, store: StoreModel | None = None, at: int = START) -> None:
        self.store = store or model()
        self.at = at

    # -- time ---------------------------------------------------------------------------------

    def later(self, milliseconds: int) -> "StoreBuilder":
        """Go on with the time; the model is looked at."""
        self.at += milliseconds
        self.store.tick(self.at)
        return self

    def console(self, language: str = "en") -> Console:
        """A console that stands still."""
        return Console(self.store, lambda: self.at, language)

    # -- what is said -------------------------------------------------------------------------

    def say(self, kind: str, names: str, data: object, **more: object) -> Message:
        """Say something on a topic of the contract: `say("event", "catalog/stock-changed", ...)`.

        Returns:
            The message as the model has read it.
        """
        return say(self.store, kind, names, data, self.at, **more)

    def raw(self, topic: str, payload: bytes) -> "StoreBuilder":
        """Publish anything below the root of the contract's topics."""
        self.store.take(self.at, [Incoming(f"storebus/1/{topic}", payload)])
        return self

    def node(self, *names: str, status: str = "online", boot: str = "b") -> "StoreBuilder":
        """Nodes show their presence."""
        for name in names:
            presence = {"status": status, "boot": boot, "since": rfc3339(self.at)}
            self.say("state", f"{name}/presence", presence)
        return self

    def lost(self, *names: str) -> "StoreBuilder":
        """Nodes are lost."""
        return self.node(*names, status="lost")

    def about(self, name: str, **data: object) -> "StoreBuilder":
        """A node says of itself: `about("catalog", outbox=3, host="shop-3")`."""
        self.say("state", f"{name}/about", {"version": "1", **data})
        return self

    def shows(self, node: str, *alarms: Mapping[str, object] | str) -> "StoreBuilder":
        """A node shows these alarms, by kind or in full, and no others."""
        listed = [
            {"detail": f"{kind} in its own words", "since": rfc3339(self.at), "kind": kind}
            if isinstance(kind := alarm, str)
            else {"detail": "in its own words", "since": rfc3339(self.at), **alarm}
            for alarm in alarms
        ]
        self.say("state", f"{node}/alarms", {"alarms": listed})
        return self

    def order(
        self,
        name: str,
        state: str,
        terminal: str = "terminal-2",
        point: str = "north",
        **more: object,
    ) -> "StoreBuilder":
        """Settlement says which state an order is in."""
        told = {"order": name, "state": state, "terminal": terminal, "pickup_point": point, **more}
        self.say("event", "settlement/order-changed", told)
        return self

    def stock(self, sku: str, on_hand: int, reserved: int = 0, **more: object) -> "StoreBuilder":
        """The catalog says how many there are of a style."""
        level = {"sku": sku, "on_hand": on_hand, "reserved": reserved}
        level |= {"available": on_hand - reserved, **more}
        self.say("event", "catalog/stock-changed", {"levels": [level]})
        return self

    def product(self, name: str, *skus: str, available: int = 20) -> "StoreBuilder":
        """The catalog answers with a product."""
        styles = [{"sku": sku, "available": available} for sku in skus]
        found = {"products": [{"id": name, "name": name, "styles": styles}]}
        self.say("rep", "console-1/catalog/search", found)
        return self

    def located(self, sku: str, bins: Mapping[str, int], **more: object) -> "StoreBuilder":
        """The warehouse says where a style lies."""
        listed = [{"location": place, "quantity": count} for place, count in bins.items()]
        self.say("rep", "console-1/warehouse/locate", {"sku": sku, "bins": listed, **more})
        return self

    def to_put_back(self, parcel: str, order: str, goods: Mapping[str, int]) -> "StoreBuilder":
        """The warehouse says that goods of a parcel are to be put back on a shelf."""
        lines = [{"sku": sku, "quantity": count} for sku, count in goods.items()]
        listed = [{"parcel": parcel, "order": order, "lines": lines}]
        self.say("rep", "console-1/warehouse/returns", {"returns": listed})
        return self

    def points(self, default: str, **names: str) -> "StoreBuilder":
        """The warehouse shows its pickup points: `points("north", north="North door")`."""
        listed = [{"id": point, "name": name} for point, name in names.items()]
        self.say("state", "warehouse/pickup-points", {"points": listed, "default": default})
        return self

    def job(
        self, sorter: str, step: str, order: str = "o-1", pick: int = 0, picks: int = 1
    ) -> "StoreBuilder":
        """A sorter shows its job."""
        shown = {"step": step, "job": "j-1", "order": order, "pick": pick, "picks": picks}
        self.say("state", f"{sorter}/job", shown)
        return self

    def given(
        self, sorter: str, order: str, locations: Sequence[str], point: str = "north"
    ) -> "StoreBuilder":
        """The warehouse gives a sorter a job, and the sorter takes it."""
        picks = [{"sku": "MUG", "location": each, "quantity": 1} for each in locations]
        data: dict[str, Any] = {"job": "j-1", "order": order, "picks": picks, "pickup_point": point}
        asked = self.say("req", f"warehouse/{sorter}/pick", data, orderid=order)
        reply = {"job": "j-1", "accepted": True}
        self.say("rep", f"warehouse/{sorter}/pick", reply, correlationid=asked.id, orderid=order)
        return self

    def answered(
        self, asker: str, callee: str, operation: str, after: int = 8, **answer: object
    ) -> "StoreBuilder":
        """A request and its answer, so many milliseconds later; a problem if it has a `code`."""
        asked = self.say("req", f"{asker}/{callee}/{operation}", {})
        self.at += after
        self.say("rep", f"{asker}/{callee}/{operation}", answer, correlationid=asked.id)
        return self
