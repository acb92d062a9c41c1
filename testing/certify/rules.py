"""The rules for devices, declared once. The report and the device guide show them."""

from collections.abc import Iterable
from dataclasses import dataclass

SORTER, TERMINAL = "sorter", "terminal"
KINDS = (SORTER, TERMINAL)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule for devices."""

    id: str
    kinds: tuple[str, ...]
    is_must: bool
    """Whether a store breaks without it; otherwise it is advice."""
    sentence: str
    """What the device does, without a subject."""
    why: str
    shown: str
    """How it is tested."""

    @property
    def level(self) -> str:
        """`must` or `advice`."""
        return "must" if self.is_must else "advice"


def _must(identifier: str, sentence: str, why: str, shown: str) -> Rule:
    return Rule(identifier, _KINDS_OF[identifier[0]], True, sentence, why, shown)


def _advice(identifier: str, sentence: str, why: str, shown: str) -> Rule:
    return Rule(identifier, _KINDS_OF[identifier[0]], False, sentence, why, shown)


_KINDS_OF = {"C": KINDS, "S": (SORTER,), "T": (TERMINAL,)}
_WATCHED = "everything it sends is looked at"

RULES = (
    _must("C1", "comes back by itself after the broker was lost, and is reachable again",
          "brokers are restarted while nobody stands beside the device",
          "all connections are cut and refused for a moment"),
    _must("C2", "sends messages: a JSON object with `id` and `data`, each attribute as CloudEvents"
          " has it", "a node answers anything else with a problem, or not at all", _WATCHED),
    _advice("C3", "sends all of `specversion`, `id`, `source`, `type` and `time`",
            "other programs than the store's read CloudEvents, too", _WATCHED),
    _must("C4", "fills `data` as the contract says", "what does not fit is refused with 422",
          "everything it sends is held against the contract's schemas"),
    _must("C5", "answers on the topic that follows from the request's topic",
          "nobody listens elsewhere, and a Response Topic could make it speak in another's name",
          "where it answers; with MQTT 5 also a request with a foreign Response Topic"),
    _must("C6", "names the request in its reply: `correlationid`, or the same `id`",
          "the asker has several requests under way", "each reply is held against what was asked"),
    _must("C7", "publishes only below its own name",
          "the broker's access list denies the rest, and may end the connection", _WATCHED),
    _must("C8", "publishes no request and no reply as retained",
          "it would be delivered again to whoever subscribes later", _WATCHED),
    _must("C9", "sends at most 64 KiB in a message", "more is refused with 413", _WATCHED),
    _must("C10", "ignores attributes and fields that it does not know",
          "later versions of the store add some", "requests and replies with unknown fields"),
    _must("C11", "goes on after malformed messages",
          "one broken sender must not stop every device",
          "texts that are no JSON, no `id`, wrong types, deep nesting, too large, empty, no UTF-8;"
          " after each it has to answer a good request"),
    _must("C12", "does not carry out a request whose fields are invalid",
          "half a request carried out is worse than none", "requests with invalid fields"),
    _advice("C13", "answers a request whose fields are invalid with a problem (422)",
            "who gets no answer repeats for ever", "requests with invalid fields"),
    _must("C14", "does not care what `time` says",
          "clocks of others are wrong: a battery is empty, a year is typed in by hand",
          "messages from 1970 and from 2099"),
    _advice("C15", "does not begin a request whose `expirytime` has passed",
            "whoever sent it counts on that", "a request that expired in 1970"),
    _must("C16", "never sends a command with an id that it used for another body",
          "the store takes it for the old one and refuses it (409)", _WATCHED),
    _advice("C17", "answers `ping` and `about` with its name and the `boot` of its presence",
            "operators, and a second device of the same name, see what is alive", "it is asked"),
    _must("C18", "carries out commands only of who may give them, as the topic says",
          "else anybody on the bus could move goods or call customers",
          "a command of `tester-1`, whatever stands in its payload"),
    _must("C19", "leaves about a second before it repeats a request, and then more",
          "a hundred devices share the bus, and a broker that is slow becomes slower",
          "the pace of what it repeats: never three times within a second on one connection"),
    _advice("C20", "lets the pauses between repetitions grow",
            "after a power cut everybody repeats at once", "the pace of what it repeats"),
    _advice("C21", "answers an operation that it does not have with 404 `unknown-operation`",
            "a later version of the store hears that this device is older, and asks no more",
            "it is asked for an operation that there is not"),
    _must("C22", "ignores requests that are retained",
          "they come again with each connection, long after what they were about",
          "a retained command lies there when it comes back"),
    _advice("C23", "asks for a keep-alive of 1 to 60 seconds",
            "without one, nobody hears that it has lost its power", "what it says as it connects"),
    _must("S1", "shows `presence` `online` as retained after each connection, and leaves a last"
          " will `lost` with the same `boot`, retained; each start has another `boot`",
          "only a sorter that is online gets jobs; a lost one's go to others",
          "its states and the last wills of its connections"),
    _must("S2", "answers each `pick` with its job and whether it is accepted",
          "the warehouse waits for it, and gives the job to another sorter if it is not",
          "jobs are sent"),
    _must("S3", "answers the same `pick` again with the same answer, and carries it out once",
          "the broker and the warehouse repeat messages; goods must not be conveyed twice",
          "copies, also of jobs that are done or were not accepted"),
    _must("S4", "says `packed` with the job, its assignment and order, a parcel, and what is in it",
          "the customer is reminded and the books are kept by it", "jobs are sent"),
    _must("S5", "repeats `packed` with the same id and body until it is answered",
          "the warehouse may be away for a while", "no answer for three times"),
    _must("S6", "stops repeating when it was answered", "the bus is for all", "an answer"),
    _must("S7", "takes nothing for the answer that is none",
          "else `packed` is lost and the customer never reminded",
          "no JSON, a list, a reply to another request, and one on another's topic"),
    _must("S8", "repeats after a problem that says `retryable: true`",
          "the warehouse is busy, the parcel is packed all the same", "a problem 503"),
    _must("S9", "stops after a problem that says `retryable: false`",
          "it would be refused for ever", "a problem 409"),
    _must("S10", "answers `abort` also for a job that it never saw, with `taken: []`, and never"
          " begins that job",
          "messages overtake each other: the job may come after its abort",
          "an abort, and then its job"),
    _must("S11", "takes a job that was aborted again under a newer assignment",
          "the warehouse gives it the job again when no other can do it",
          "an abort, and then the job with a higher number"),
    _must("S12", "does not take a job under an older assignment than it has seen",
          "an old message comes late", "a job, and then the same with a lower number"),
    _must("S13", "stops a job that is aborted, and never reports it as packed",
          "another sorter does it already", "an abort right after the job was accepted"),
    _must("S14", "loses nothing by a restart: goes on with its job, repeats what was not answered"
          " under the same id until it is, conveys nothing again, remembers what was aborted",
          "power fails; the goods are on the belt all the same",
          "a restart with an unanswered `packed`, and one right after it took a job and answered"
          " an abort"),
    _advice("S15", "shows what it is at in the retained state `job`",
            "operators see why an order takes so long", _WATCHED),
    _must("S16", "answers `abort` with what it had taken from the shelves, the same to each copy",
          "somebody puts that back; what is not said is lost for the store",
          "a job that is aborted when its state shows that something was taken, or it is packed"),
    _must("S17", "packs each job that it accepts, or reports why not; does not accept another one"
          " that it would drop, and takes that later",
          "the warehouse gives a job that was refused to another sorter, and waits for one that was"
          " accepted", "a second job while it is at one"),
    _must("S18", "reports a location that holds too little with `short-pick`, until it is answered;"
          " takes what the answer says and packs what it has",
          "the customer gets the rest from another location, or the money back",
          "a location with too few pieces (`--short-command`, or the person beside it)"),
    _must("S19", "reports a job that it cannot carry out with `fault`, until it is answered, and"
          " does not pack it", "the job is given to another sorter",
          "a jam (`--fault-command`, or the person beside it)"),
    _advice("T1", "shows `presence` `online` as retained after each connection, and leaves a last"
            " will `lost` with the same `boot`, retained; each start has another `boot`",
            "what waits for the terminal is sent at once when it is back, and operators see it",
            "its states and the last wills of its connections"),
    _advice("T2", "sends to `lookup` exactly what the scanner gave",
            "the catalog knows labels, links and numbers of all kinds", "a label is scanned"),
    _must("T3", "expects the total of the prices that it showed",
          "the customer pays what they saw, or is told that the price has changed",
          "`expected_total` of what is bought"),
    _must("T4", "repeats `purchase` with the same id and body until it is answered",
          "the customer has pressed the button once; with another id they would pay twice",
          "no answer for three times"),
    _must("T5", "stops repeating when it was answered", "the bus is for all", "an answer"),
    _must("T6", "takes nothing for the answer that is none",
          "else the customer is told something that is not so",
          "no JSON, a list, a reply to another request, and one on another's topic"),
    _must("T7", "repeats after a problem that says `retryable: true`, with the same id",
          "settlement is busy, the customer still wants to buy", "a problem 503"),
    _must("T8", "stops after a problem that says `retryable: false`",
          "the customer has to decide anew", "a problem 402"),
    _must("T9", "answers each copy of a reminder with `shown: true`",
          "settlement repeats it until it hears that", "copies of reminders"),
    _must("T10", "shows each reminder once, also a later one of the same order",
          "customers who are reminded again come again; who did not come is reminded later",
          "what the device prints, if it was started here; else the person beside it is asked"),
    _must("T11", "loses nothing by a restart: repeats the unanswered `purchase` under the same id"
          " until it is answered, does not show a reminder again",
          "power fails; the customer has paid all the same",
          "a restart with an unanswered purchase, and one right after a reminder was answered"),
    _must("T12", "takes no deadline from its own clock: `expirytime` is in the store's time, within"
          " a day",
          "where its clock is slow nothing is sold; where it is fast, the customer is gone when"
          " something is",
          "the played store's clock is two days ahead"),
    _advice("T13", "gives each purchase a deadline",
            "what is settled when the customer has left surprises everybody",
            "`expirytime` or `expiresin` of what is bought"),
    _must("T14", "goes on asking after the deadline, until it has a receipt or a refusal",
          "the purchase may have been begun in time: the customer has paid then",
          "no answer until the deadline has passed, where `--patience` reaches so far"),
    _must("T15", "sends with each copy what is left of the deadline: it never moves later",
          "else the purchase is begun when nobody stands there any more",
          "the deadlines of all copies of a purchase"),
    _advice("T16", "repeats `lookup` with the same id until it is answered",
            "a query is sent with QoS 0: it may be lost", "no answer to the first one"),
)  # fmt: skip
RULES_BY_ID = {rule.id: rule for rule in RULES}


def rules_of(kind: str) -> tuple[Rule, ...]:
    """The rules for a kind of device."""
    return tuple(rule for rule in RULES if kind in rule.kinds)


def checklist() -> str:
    """All rules as a section of the device guide, in Markdown."""
    intro = (
        "## Checklist\n\n"
        "`storebus certify sorter-9` or `terminal-9` tries these rules on your device. A store"
        " breaks on a device that breaks a *must*; *advice* makes it good company.\n"
    )
    parts = [intro]
    for title, letter in (("Every device", "C"), ("Sorters", "S"), ("Terminals", "T")):
        parts.append(
            f"### {title}\n\n| | | the device | because | tried with |\n|---|---|---|---|---|"
        )
        parts.append(_rows(rule for rule in RULES if rule.id.startswith(letter)))
    return "\n".join(parts)


def _rows(rules: Iterable[Rule]) -> str:
    return "".join(
        f"| {rule.id} | {rule.level} | {rule.sentence} | {rule.why} | {rule.shown} |\n"
        for rule in rules
    )
