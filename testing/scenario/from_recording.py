"""Generates a scenario from one order of a recording, to be played in a store of its own.

What a store makes up (ids, codes, times) is captured into variables. What belongs to the recorded
store (shelves, sorters, accounts, prices) is set up anew. What others sent is sent, and what the
store then published about the order is expected. Faults are not repeated: a pick that was given to
a second sorter is expected once.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bus.contract import find_operation
from bus.contract.catalog import WRITE_OFF
from bus.contract.channel import ROLES, role_of
from bus.contract.errors import ConfigurationError
from bus.contract.settlement import CANCEL, FAILED, ORDER_CHANGED, PURCHASE
from bus.contract.sorter import PICK
from bus.contract.terminal import REMIND
from bus.contract.topics import Topics
from bus.contract.warehouse import PACKED
from bus.history.archive import Archive
from bus.history.message import Message, body
from bus.text.safe import visible
from testing.scenario.in_process_store import LOCATIONS, POINTS
from testing.scenario.reading import GIVEN
from testing.scenario.recorded_order import is_about, messages_of_order
from testing.scenario.runner import CURRENCY

_CAPTURED = frozenset({"order", "job", "parcel", "pickup_code"})
"""Fields whose values a store makes up."""
_SAME = frozenset({"quantity", "amount", "state", "method", "shown", "accepted"})
"""Fields whose values are the same in every store."""
_HOLDING = frozenset({"lines", "missing", "total", "price", "payment"})
"""Fields that hold other fields."""
_STORES = ROLES | {"sorter"}
"""The nodes that act by themselves in a scenario's store."""
_TERMINAL = "terminal-1"
"""The terminal of a scenario's store."""
_WAITED = 60
"""Seconds between two messages from which the later one counts as caused by a timer."""
_LONGEST = 40
"""The most characters of a variable's name."""
_WAYS_BACK = {
    state: way for way in (("cancelled", "cancelling"), ("expired", "expiring")) for state in way
}
"""States in which an order may wait until a person has put its goods back."""
_MADE_AGAIN = frozenset(
    {
        "sold-out", "price-changed", "payment-declined", "unknown-sku", "unknown-account",
        "unknown-pickup-point",
    }
)  # fmt: skip
"""Refusals of a purchase that a new store can be made to give."""


@dataclass(slots=True)
class GeneratedScenario:
    """A generated scenario, and what it leaves out."""

    file: dict[str, Any]
    steps: int
    left_out: Counter[str] = field(default_factory=Counter)
    """Requests within the store, by operation, that a store without faults may not send."""

    def to_yaml(self, origin: str) -> str:
        """The text of the file.

        Args:
            origin: what it was generated from, for its readers.
        """
        text = yaml.safe_dump(self.file, sort_keys=False, allow_unicode=True, width=100)
        return f"# Made of {visible(origin)}.\n{text}"


def scenario_of_order(archive: Archive, site: str | None, order: str) -> GeneratedScenario:
    """Generate a scenario from an order of a recording.

    Args:
        archive: the recording.
        site: of the store; that of its first message if None.
        order: its id.

    Raises:
        ConfigurationError: there is no such order, its purchase is not in the recording, or it was
            refused for a reason that a new store does not have.
        JournalError: the recording cannot be read.
    """
    messages = messages_of_order(archive, Topics(site or archive.site()), order)
    bought = next((each for each in messages if is_about(each, "req", PURCHASE.name)), None)
    if bought is None:
        raise ConfigurationError(
            f"The purchase of {order} is not in the recording, so there is nothing to send: take a"
            " recording, or all parts of one, that begins before it."
        )
    generator = _ScenarioGenerator(order, bought, messages)
    code = generator.refused
    if code is not None and code not in _MADE_AGAIN:
        raise ConfigurationError(
            f"The purchase of {order} was refused ({code}), for which a store made anew has no"
            " reason."
        )
    return generator.generate()


def write_scenario(
    recordings: list[Path], site: str | None, order: str, file: Path
) -> GeneratedScenario:
    """Generate a scenario from an order of recordings, and write it.

    Args:
        recordings: the parts of one recording.
        site: of the store; that of the first message if None.
        order: its id.
        file: where the scenario is written; must not exist.

    Raises:
        ConfigurationError: the recording does not have the order, or the file exists.
        JournalError: the recording cannot be read.
    """
    generated = scenario_of_order(Archive(recordings), site, order)
    origin = f"the order {order} in {', '.join(path.name for path in recordings)}"
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(generated.to_yaml(origin))
    except FileExistsError:
        raise ConfigurationError(
            f"{file} is there already: --write names another, or play it: storebus play {file}"
        ) from None
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written: {error.strerror}.") from error
    return generated


class _ScenarioGenerator:
    """Turns the messages of an order into steps.

    Args:
        order: its id.
        bought: the purchase request.
        messages: all messages about it, without copies.
    """

    def __init__(self, order: str, bought: Message, messages: Sequence[Message]) -> None:
        self._order, self._bought, self._messages = order, bought, messages
        self._purchase = body(bought) or {}
        self._answers = {
            (each.receiver, each.answers): each for each in messages if each.kind == "rep"
        }
        self._receipt = self._answer(bought)
        self._variables: dict[str, str] = {}
        """Names of variables, by the value in the recording."""
        self._left_out: Counter[str] = Counter()
        self._is_card = (self._purchase.get("payment") or {}).get("method") == "card"
        self._steps: list[dict[str, Any]] = []
        self._expected: set[tuple[str, str]] = set()
        self._undone = False
        """Whether the order is being undone: what comes when then depends on moments."""

    def generate(self) -> GeneratedScenario:
        goods, finds = self._goods()
        self._add_steps()
        store: dict[str, Any] = {"cards": True} if self._is_card else {"clock": "virtual"}
        if finds:
            store["finds"] = finds
        scenario: dict[str, Any] = {"scenario": self._sentence(), "store": store, "goods": goods}
        if not self._is_card and self.refused != "unknown-account":
            scenario["accounts"] = {"customer": self._money()}
        scenario["steps"] = self._steps
        file = {"about": "An order that was recorded", "scenarios": [scenario]}
        return GeneratedScenario(file, len(self._steps), self._left_out)

    def _sentence(self) -> str:
        states = [
            str((body(each) or {}).get("state"))
            for each in self._messages
            if is_about(each, "event", ORDER_CHANGED.name)
        ]
        became = f": {', '.join(dict.fromkeys(states))}" if states else ""
        return f"The order {self._order} goes as it was recorded{became}"[:200]

    # -- what the store has -----------------------------------------------------------------------

    def _answer(self, request: Message) -> dict[str, Any]:
        reply = self._answers.get((request.sender, request.id))
        return (body(reply) or {}) if reply is not None else {}

    @property
    def refused(self) -> str | None:
        """The code of the problem, if the purchase was refused."""
        reply = self._answers.get((self._bought.sender, self._bought.id))
        return reply.code if reply is not None else None

    def _quantities(self) -> dict[str, int]:
        lines = self._purchase.get("lines") or []
        return {str(line["sku"]): int(line["quantity"]) for line in lines}

    def _goods(self) -> tuple[dict[str, Any], dict[str, int]]:
        """The styles, each by a variable; and how many are found where some were missing."""
        wanted, packed = self._quantities(), self._packed()
        short = {sku for sku in wanted if packed is not None and packed.get(sku, 0) < wanted[sku]}
        available = self._receipt.get("available") if self.refused == "sold-out" else None
        goods: dict[str, Any] = {}
        finds: dict[str, int] = {}
        places = sorted(wanted, key=lambda sku: sku not in short)
        for sku, quantity in wanted.items():
            if self.refused == "unknown-sku" and self._receipt.get("sku") in (None, sku):
                continue
            alias = self._alias(sku)
            shelf = LOCATIONS[min(places.index(sku), len(LOCATIONS) - 1)]
            pieces = int((available or {}).get(sku, quantity))
            goods[alias] = {"price": self._price(sku), "shelves": {shelf: pieces} if pieces else {}}
            if not pieces:
                goods[alias] = {"price": self._price(sku), "pieces": 0}
            if sku in short and packed is not None:
                finds[shelf] = packed.get(sku, 0)
        return goods, finds

    def _alias(self, sku: str) -> str:
        """The variable of a style."""
        name = re.sub(r"[^A-Za-z0-9_-]", "-", sku)[: _LONGEST - 1]
        alias = name if name[:1].isalpha() else f"S{name}"
        while alias in {*self._variables.values(), *_CAPTURED, *GIVEN, "customer"}:
            alias = f"{alias[:-1]}-" if len(alias) == _LONGEST else f"{alias}-"
        self._variables[sku] = alias
        return alias

    def _price(self, sku: str) -> int:
        """Cents as the store answered; else what the customer expected, if that is unambiguous."""
        for message in self._messages:
            for line in (body(message) or {}).get("lines") or ():
                if line.get("sku") == sku and isinstance(line.get("price"), dict):
                    return int(line["price"]["amount"])
        total = self._receipt.get("total") or self._purchase.get("expected_total") or {}
        lines = self._quantities()
        share = int(total.get("amount", 1)) // (sum(lines.values()) or 1)
        return max(1, share)

    def _packed(self) -> dict[str, int] | None:
        """How many of each style got into the parcel; None if that is not known."""
        found = [each for each in self._messages if is_about(each, "req", PACKED.name)]
        if not found:
            is_off = any(is_about(each, "req", FAILED.name) for each in self._messages)
            return {} if is_off else None
        lines = (body(found[-1]) or {}).get("lines") or ()
        return {str(line["sku"]): int(line["quantity"]) for line in lines}

    def _money(self) -> int:
        """Cents in the customer's account: enough, or one too few."""
        total = int((self._purchase.get("expected_total") or {}).get("amount", 0))
        return max(0, total - 1) if self.refused == "payment-declined" else total

    # -- what is done and said --------------------------------------------------------------------

    def _add_steps(self) -> None:
        last = self._bought.at
        for message in sorted(self._messages, key=self._place):
            if message.number < self._bought.number:
                continue
            waited = message.at - last >= _WAITED * 1000
            if self._is_asked(message):
                step = self._send(message)
                self._undone = self._undone or message.name == CANCEL.name
            elif not self._is_expected(message, waited=waited):
                continue
            elif waited and self._is_card:
                break  # a simulated store takes no cards, and this one was a matter of time
            else:
                step = self._expect(message)
            if waited and not self._is_card:
                self._steps.append({"clock": f"+{(message.at - last) // 1000 + 1}s"})
            last = message.at
            self._steps.append(step)

    def _place(self, message: Message) -> int:
        """The time of a step: a request counts when it was answered, for then it took effect."""
        reply = self._answers.get((message.sender, message.id))
        is_later = message is not self._bought and self._is_asked(message)
        return reply.number if is_later and reply is not None else message.number

    def _is_asked(self, message: Message) -> bool:
        """Whether it is what somebody outside of the store wanted of settlement."""
        operation = find_operation(role_of(message.receiver) or "", message.name)
        return (
            message.kind == "req"
            and message.receiver == PURCHASE.callee
            and role_of(message.sender) in ("terminal", "console", "tester")
            and operation is not None
            and operation.kind == "command"
        )

    def _is_expected(self, message: Message, *, waited: bool) -> bool:
        """Whether a store without faults says it, too: of each operation and state the first."""
        if is_about(message, "event", ORDER_CHANGED.name):
            state = str((body(message) or {}).get("state"))
            is_way_back = state in _WAYS_BACK
            if self._undone and not is_way_back:
                return False
            self._undone = self._undone or is_way_back
            return not self._seen("event", str(_WAYS_BACK.get(state, state)))
        operation = find_operation(role_of(message.receiver) or "", message.name)
        if message.kind != "req" or operation is None or operation.kind == "query":
            return False
        again = self._seen("req", message.name)
        is_stores = role_of(message.sender) in _STORES
        if (
            self._undone
            or not is_stores
            or (again and not (waited and message.name == REMIND.name))
        ):
            self._left_out[message.name] += 1
            return False
        return True

    def _seen(self, kind: str, name: str) -> bool:
        """Whether it was expected before; from now on it counts as expected."""
        before = len(self._expected)
        self._expected.add((kind, name))
        return len(self._expected) == before

    def _send(self, message: Message) -> dict[str, Any]:
        step: dict[str, Any] = {
            "send": {
                "from": self._swapped(message.sender),
                "to": message.receiver,
                "op": message.name,
                "data": self._sent(body(message) or {}),
            }
        }
        reply = self._answers.get((message.sender, message.id))
        if reply is None:
            return step
        data = body(reply) or {}
        if reply.status is not None:
            step["problem"] = {"status": reply.status, "code": reply.code} | self._named(data)
        else:
            step["reply"] = self._pattern(data)
        return step

    def _swapped(self, sender: str) -> str:
        """The sender, where the terminal of the purchase becomes the terminal of the store."""
        ours = self._bought.sender
        return {ours: _TERMINAL, _TERMINAL: ours}.get(sender, sender)

    def _named(self, data: Mapping[str, Any]) -> dict[str, Any]:
        return {"order": self._captured("order", data["order"])} if "order" in data else {}

    def _expect(self, message: Message) -> dict[str, Any]:
        wanted: dict[str, Any] = {"kind": message.kind, "op": message.name}
        if message.sender in ROLES:
            wanted["from"] = message.sender
        if message.receiver in ROLES:
            wanted["to"] = message.receiver
        data = body(message) or {}
        if message.kind == "event":
            data = {name: data[name] for name in ("order", "state") if name in data}
        if message.name == PICK.name:
            data = {name: data[name] for name in ("order", "job") if name in data}
        if message.name == WRITE_OFF.name:  # how much the books had there is another store's affair
            data = {name: data[name] for name in ("sku",) if name in data}
        return {"expect": {**wanted, "data": self._pattern(data)}}

    def _sent(self, value: Any, name: str = "") -> Any:
        """Data that was sent, with the names of the new store."""
        if isinstance(value, dict):
            return {each: self._sent(inner, each) for each, inner in value.items()}
        if isinstance(value, list):
            return [self._sent(each, name) for each in value]
        return self._sent_text(value, name) if isinstance(value, str) else value

    def _sent_text(self, value: str, name: str) -> str:
        if name == "account" and self.refused != "unknown-account":
            return "${customer}"
        if name == "token":
            return "tok_decline" if self.refused == "payment-declined" else "tok_approve"
        if name == "pickup_point" and self.refused != "unknown-pickup-point":
            return _point(value)
        if name == "currency":
            return CURRENCY
        if value in self._variables:
            return f"${{{self._variables[value]}}}"
        if "${" in value:
            raise ConfigurationError("A text of the order holds ${, which a scenario cannot say.")
        return value

    def _pattern(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """A pattern for data of the same meaning in any store."""
        found: dict[str, Any] = {}
        for name, value in data.items():
            if value is None:
                continue
            if name in _CAPTURED:
                found[name] = self._captured(name, value)
            elif name == "sku" and value in self._variables:
                found[name] = f"${{{self._variables[value]}}}"
            elif name == "pickup_point":
                found[name] = _point(value)
            elif name == "currency":
                found[name] = CURRENCY
            elif name == "state" and value in _WAYS_BACK:
                found[name] = {"$in": list(_WAYS_BACK[value])}
            elif name in _SAME:
                found[name] = value
            elif name in _HOLDING:
                found[name] = (
                    [self._pattern(each) for each in value]
                    if isinstance(value, list)
                    else self._pattern(value)
                )
        return found

    def _captured(self, name: str, value: Any) -> Any:
        """The variable for a value; the first time, a pattern that captures it."""
        if value in self._variables:
            return f"${{{self._variables[value]}}}"
        taken = sum(each.rstrip("0123456789") == name for each in self._variables.values())
        variable = f"{name}{taken + 1}" if taken else name
        self._variables[str(value)] = variable
        return {"$as": variable}


def _point(point: str) -> str:
    """A pickup point of a scenario's store."""
    known = [each.id for each in POINTS.points]
    return point if point in known else known[0]
