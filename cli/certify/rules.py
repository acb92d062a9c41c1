"""The rules that a device has to keep, declared once: the report and the device guide show them."""

from collections.abc import Iterable
from dataclasses import dataclass

SORTER, TERMINAL = "sorter", "terminal"
KINDS = (SORTER, TERMINAL)


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that a device does."""

    id: str
    kinds: tuple[str, ...]
    is_must: bool
    """Whether a store breaks without it; else it is advice."""
    sentence: str
    """What the device does, without a subject."""
    why: str
    shown: str
    """How it is found out."""

    @property
    def level(self) -> str:
        """In a word."""
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
    _advice("C17", "answers `ping` and `about`", "operators see what is alive, and which version",
            "it is asked"),
    _must("S1", "shows `presence` `online` as retained, and leaves a last will `lost` with the same"
          " `boot`, retained", "only a sorter that is online gets jobs; a lost one's go to others",
          "its states and the last will of its connection"),
    _must("S2", "answers each `pick` with its job and whether it is accepted",
          "the warehouse waits for it, and gives the job to another sorter if it is not",
          "jobs are sent"),
    _must("S3", "answers the same `pick` again with the same answer, and carries it out once",
          "the broker and the warehouse repeat messages; goods must not be conveyed twice",
          "copies, also of jobs that are done"),
    _must("S4", "says `packed` with the job, its assignment and order, a parcel, and what is in it",
          "the customer is reminded and the books are kept by it", "jobs are sent"),
    _must("S5", "repeats `packed` with the same id and body until it is answered",
          "the warehouse may be away for a while", "no answer for three times"),
    _must("S6", "stops repeating when it was answered", "the bus is for all", "an answer"),
    _must("S7", "takes nothing for the answer that is none",
          "else `packed` is lost and the customer never reminded",
          "no JSON, a list, and a reply to another request, where the answer is expected"),
    _must("S8", "repeats after a problem that says `retryable: true`",
          "the warehouse is busy, the parcel is packed all the same", "a problem 503"),
    _must("S9", "stops after a problem that says `retryable: false`",
          "it would be refused for ever", "a problem 409"),
    _must("S10", "answers `abort` also for a job that it never saw, and never begins that job",
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
          " under the same id, conveys nothing again",
          "power fails; the goods are on the belt all the same",
          "a restart with an unanswered `packed`, and one in the middle of a job"),
    _advice("S15", "shows what it is at in the retained state `job`",
            "operators see why an order takes so long", _WATCHED),
    _advice("T1", "shows `presence` `online` as retained, and leaves a last will `lost` with the"
            " same `boot`, retained",
            "what waits for the terminal is sent at once when it is back, and operators see it",
            "its states and the last will of its connection"),
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
          "no JSON, a list, and a reply to another request, where the answer is expected"),
    _must("T7", "repeats after a problem that says `retryable: true`, with the same id",
          "settlement is busy, the customer still wants to buy", "a problem 503"),
    _must("T8", "stops after a problem that says `retryable: false`",
          "the customer has to decide anew", "a problem 402"),
    _must("T9", "answers each copy of a reminder with `shown: true`",
          "settlement repeats it until it hears that", "copies of reminders"),
    _must("T10", "shows each reminder once",
          "customers who are reminded again come again",
          "what the device prints, if it was started here; else the person beside it is asked"),
    _must("T11", "loses nothing by a restart: repeats the unanswered `purchase` under the same id,"
          " does not show a reminder again",
          "power fails; the customer has paid all the same",
          "a restart with an unanswered purchase, and one after a reminder"),
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
