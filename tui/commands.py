"""The commands of an operator: each is an operation of the contract, requested on the bus.

They are ordinary requests, so the message history has them without further ado. Every operation of
the contract can be sent from a form; those named here have warnings of their own.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from bus.contract import find_operation, operations_of
from bus.contract.catalog import (
    REINSTATE,
    RETIRE,
    SEARCH,
    UPSERT,
    Price,
    ProductUpdate,
    Search,
    StyleUpdate,
    Upsert,
)
from bus.contract.channel import Operation, role_of
from bus.contract.refusals import UnknownSku
from bus.contract.settlement import CANCEL, COLLECT, RESOLVE
from bus.contract.values import Model, Sku
from bus.contract.warehouse import COUNT, REASSIGN, RECEIVE, RESUME
from bus.text.sentence import Sentence, marked
from tui.feed import Feed
from tui.model.nodes import KnownNodes


class PriceChange(Model):
    """A new price for a style."""

    sku: Sku
    price: Price


@dataclass(frozen=True, slots=True)
class Command:
    """A request to be sent once its form is filled in."""

    title: Sentence
    model: type[Model]
    """The model of the form."""
    warning: Callable[[dict[str, Any]], Sentence]
    """Says what will happen, given the form's data."""
    send: Callable[[Feed, Model], Awaitable[Model]]
    """Sends it; raises the problem that it is refused with."""
    preset: object = field(default_factory=dict)
    """The data filled in already."""


_WARNINGS = {
    CANCEL.name: marked("Order {order} will be cancelled: its goods and its money go back."),
    COLLECT.name: marked(
        "The parcel with the code {code} will count as collected, and its order is closed."
    ),
    REASSIGN.name: marked(
        "The job of {order} goes to another sorter; what its sorter had taken is to be put back."
    ),
    RESOLVE.name: marked(
        "What the provider refused to give back for {order} will count as paid by hand: pay it"
        " first."
    ),
    RESUME.name: marked("{sorter} gets jobs again."),
    RECEIVE.name: marked("{quantity} of {sku} will count as lying at {location}, and be for sale."),
    COUNT.name: marked(
        "The books will say that {counted} of {sku} lie at {location}; what is promised to orders"
        " and is not there is paid back."
    ),
    RETIRE.name: marked(
        "{item} will be offered, found and sold no more; orders that hold it go on."
    ),
    REINSTATE.name: marked("{item} will be sold again."),
}
_RETRIED = marked("The provider will be asked again to give the money back for {order}.")


def command_for(callee: str, name: str, preset: object = None) -> Command | None:
    """The command for an operation of a node; None if the contract has no such operation."""
    operation = find_operation(role_of(callee) or "", name)
    if operation is None:
        return None

    def warning(data: dict[str, Any]) -> Sentence:
        if name == RESOLVE.name and data.get("how") == "retry":
            return Sentence(_RETRIED, order=data.get("order", "?"))
        if name in _WARNINGS:
            told = {key: data.get(key, "?") for key in _GAPS}
            item = data.get("sku") or data.get("product") or "?"
            return Sentence(_WARNINGS[name], item=item, **told)
        if operation.kind == "query":
            return Sentence("{node} will be asked {name}; this changes nothing.",
                            node=callee, name=name)  # fmt: skip
        if not allowed(operation):
            return Sentence("{node} will be sent {name}, and will refuse it from a console.",
                            node=callee, name=name)  # fmt: skip
        return Sentence("{node} will be sent {name}.", node=callee, name=name)

    async def send(feed: Feed, data: Model) -> Model:
        reply = await feed.ask(operation, callee, data)
        assert isinstance(reply, Model)
        return reply

    title = Sentence("{node}: {name}", node=callee, name=name)
    return Command(title, operation.request, warning, send, preset or {})


_GAPS = ("order", "code", "quantity", "counted", "sku", "location", "sorter")


def allowed(operation: Operation[Any, Any]) -> bool:
    """Whether a console may request it."""
    return not operation.callers or "console" in operation.callers


def price_change(preset: object) -> Command:
    """The command that changes the price of a style; it looks up the product."""

    def warning(data: dict[str, Any]) -> Sentence:
        price = data.get("price", {})
        return Sentence("One piece of {sku} will cost {amount} (minor units) {currency}.",
                        sku=data.get("sku"), amount=price.get("amount"),
                        currency=price.get("currency"))  # fmt: skip

    async def send(feed: Feed, data: Model) -> Model:
        assert isinstance(data, PriceChange)
        found = await feed.ask(SEARCH, "catalog", Search(text=data.sku, limit=100))
        for product in found.products:
            if any(style.sku == data.sku for style in product.styles):
                style = StyleUpdate(sku=data.sku, price=data.price)
                changed = ProductUpdate(id=product.id, styles=[style])
                reply = await feed.ask(UPSERT, "catalog", Upsert(products=[changed]))
                assert isinstance(reply, Model)
                return reply
        raise UnknownSku(f"No style has the SKU {data.sku}.", field="sku")

    return Command(Sentence("Change price"), PriceChange, warning, send, preset)


def choices(nodes: KnownNodes) -> list[str]:
    """All operations of all known nodes, such as `settlement cancel`."""
    names = {"catalog", "settlement", "warehouse"} | {
        node.name for node in nodes if node.role in ("sorter", "terminal")
    }
    return sorted(
        f"{name} {operation.name}"
        for name in names
        for operation in operations_of(role_of(name) or "")
    )
