"""An alarm for the operator: its kind, its severity, and what it waits for.

The terms are those of ISA-18.2 and IEC 62682: an alarm is acknowledged, returns to normal, and is
shelved ("silenced" here) for a time. The severities are those of syslog (RFC 5424, 6.2.1).
"""

from dataclasses import dataclass, field
from typing import Literal

from bus.contract.channel import ROLES
from bus.text.sentence import Sentence, marked

Kind = Literal[
    "lost", "deadline", "refused", "foreign", "duplicates", "malformed", "stuck", "low-stock",
    "disagreement", "no-sorter", "outbox", "dead-letter", "refund-refused", "provider-refuses-us",
    "clock-step", "clock-wrong", "standstill", "cannot-write",
    "two-of-a-name", "restless", "no-broker",
    "database-replaced", "database-older", "provider-silent", "outcome-unknown", "refuses",
    "charge-refused", "step-refused", "short-pick", "put-back",
]  # fmt: skip
Severity = Literal["critical", "warning", "notice"]
"""RFC 5424, 6.2.1: codes 2, 4 and 5."""
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "notice")
"""The worst first."""
MOMENTS: frozenset[Kind] = frozenset({"deadline", "refused", "foreign", "malformed", "dead-letter"})
"""Kinds that are raised by single messages, and have no duration of their own."""
KINDS: dict[Kind, str] = {
    "lost": marked("a node is lost"),
    "deadline": marked("an answer came after its deadline or never"),
    "refused": marked("a request was not allowed"),
    "foreign": marked("a message that is not of the contract"),
    "duplicates": marked("many messages are repeated"),
    "malformed": marked("a message that cannot be read"),
    "stuck": marked("an order does not move"),
    "low-stock": marked("a style is almost sold out"),
    "disagreement": marked("catalog and warehouse count differently"),
    "no-sorter": marked("no sorter is there"),
    "refund-refused": marked("money that could not go back"),
    "provider-refuses-us": marked("the payment provider does not let the store in"),
    "outbox": marked("a node has many open commands"),
    "dead-letter": marked("a command was refused for good"),
    "clock-step": marked("a host's clock was set"),
    "clock-wrong": marked("a host's clock is not the store's"),
    "standstill": marked("a node stood still and ended itself"),
    "cannot-write": marked("a node cannot write its database"),
    "two-of-a-name": marked("two devices use one name"),
    "restless": marked("a node comes and goes"),
    "no-broker": marked("the broker cannot be reached"),
    "database-replaced": marked("a node has another database"),
    "database-older": marked("a database lacks what others know"),
    "provider-silent": marked("a provider or machine does not answer"),
    "outcome-unknown": marked("nobody says what became of a payment"),
    "refuses": marked("a node refuses what it is asked"),
    "charge-refused": marked("the payment provider does not charge"),
    "step-refused": marked("a step back was refused"),
    "short-pick": marked("fewer goods lay there than in the books"),
    "put-back": marked("goods are to be put back"),
}

TO_DO: dict[Kind, str] = {
    "lost": marked("See whether {host} has power and network. If nobody starts {subject} again,"
                   " start it there: storebus node {subject}"),
    "deadline": marked("If it goes on: see whether {subject} is there, how busy {host} is, and what"
                       " its clock says."),
    "no-broker": marked("See whether the host of {subject} has power and network, and whether the"
                        " broker runs there; storebus up starts its own. It is tried again all the"
                        " time."),
    "refused": marked("Something uses the name {subject} for what it may not do: give it the right"
                      " name, or switch it off."),
    "foreign": marked("Enter shows the message. Whoever publishes it belongs on another broker, or"
                      " needs its topic mended."),
    "duplicates": marked("Somebody is not answered: see whether who is asked is there. The filter"
                         " repeats:>2 shows all of it in the traffic."),
    "malformed": marked("Enter shows the message. Mend or replace the software of {subject}:"
                        " storebus certify tries it."),
    "stuck": marked("Enter shows its way: the last line is what it waits for."),
    "low-stock": marked("Bring goods in, here or with storebus import, or retire it (R on the stock"
                        " screen)."),
    "disagreement": marked("One of the two has lost something: storebus audit says what. Then count"
                           " the style."),
    "cannot-write": marked("It is the disk of {host}."),
    "standstill": marked("If nobody starts {subject} again, start it on {host}: storebus node"
                         " {subject}"),
    "no-sorter": marked("Switch a sorter on: storebus node {needed}. The orders wait for it."),
    "outbox": marked("Somebody does not answer it: see whether {needed} is there, and look for the"
                     " cause in the log of {subject} on {host}."),
    "dead-letter": marked("Enter shows what was refused and why. It is not sent again: mend the"
                          " cause, and do by hand what is missing."),
    "refund-refused": marked("Pay it by hand and say so, or have the provider asked again."),
    "database-replaced": marked("Close the store and open it with the right folder (--data), or put"
                                " the database of {subject} back: storebus restore. If it is gone:"
                                " storebus audit says what is lost."),
    "database-older": marked("Close the store and put the newest database of {subject} back. If"
                             " there is none: storebus audit says what is lost."),
    "provider-silent": marked("See whether it is there and can be reached. What waits for it goes"
                              " on by itself."),
    "outcome-unknown": marked("Ask the provider what it knows of {subject}. The store asks on, and"
                              " charges nothing twice."),
    "refuses": marked("Look at {subject} and its log. If another can do its work, switch it off."),
    "charge-refused": marked("Ask the provider: it refuses to charge, not the customers' banks."),
    "step-refused": marked("Mend the cause and have it asked again (--retry), or do it by hand"
                           " (--by-hand): storebus resolve {subject}"),
    "short-pick": marked("Look for them, and count there: C on the stock screen, or storebus stock"
                         " count."),
    "put-back": marked("Put them on a shelf and say so: + on the stock screen, with the parcel"
                       " {subject}."),
}  # fmt: skip
"""By kind, what the operator should do, unless the alarm's own text says so."""
_SEVERITY: dict[str, Severity] = {
    "no-broker": "critical",
    "cannot-write": "critical",
    "standstill": "critical",
    "no-sorter": "critical",
    "provider-refuses-us": "critical",
    "provider-silent": "critical",
    "database-replaced": "critical",
    "database-older": "critical",
    "low-stock": "notice",
    "put-back": "notice",
    "foreign": "notice",
    "refused": "notice",
    "clock-step": "notice",
    "clock-wrong": "notice",
}
"""Critical: nothing is sold or delivered. Notice: good to know. All others are warnings."""


@dataclass(slots=True, eq=False)
class ConsoleAlarm:
    """An alarm."""

    kind: Kind
    subject: str
    """The node, order or style that it is about."""
    text: Sentence
    since: int
    """When it was first raised, in milliseconds since the epoch."""
    last: int
    """When it was last raised or confirmed."""
    times: int = 1
    ended: int | None = None
    acknowledged: bool = False
    message: int | None = None
    """The number of the message that last raised it."""
    needs: tuple[str, ...] = ()
    """What it waits for: nodes, `sorters`, `provider`. If one is missing, that is the cause."""
    sources: set[str] = field(default_factory=set)
    """The nodes that show this alarm themselves; empty if the console has found it."""
    topic: str = ""
    """The topic of the message that last raised it, if its sender is in question."""
    sender: str = ""
    """The connection that publishes there, as the broker names it (its MQTT client id)."""
    number: int = 0
    """Counts from 1 in the order in which alarms were raised."""
    unsure: bool = False
    """Whether it comes from an earlier console and has not been confirmed since."""
    looked: bool = False
    """Whether it has been visible on the alarms screen."""

    @property
    def key(self) -> tuple[Kind, str]:
        """Its key in the list."""
        return self.kind, self.subject

    @property
    def open(self) -> bool:
        """Whether it is active and not acknowledged."""
        return self.ended is None and not self.acknowledged

    @property
    def said(self) -> Sentence:
        """The text, with the connection that publishes the message if it is known."""
        if not self.sender:
            return self.text
        return Sentence("{words} (published by the connection {sender})", words=self.text,
                        sender=self.sender)  # fmt: skip

    @property
    def severity(self) -> Severity:
        """The severity: a lost role stops the store, a lost device only itself."""
        if self.kind == "lost" and self.subject in ROLES:
            return "critical"
        return _SEVERITY.get(self.kind, "warning")
