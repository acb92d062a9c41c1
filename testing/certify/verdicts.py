"""What was found out of each rule: kept, broken with the messages that show it, or not tried."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from testing.certify.observing_relay import Message
from testing.certify.rules import Rule, rules_of

Outcome = Literal["kept", "broken", "not tried"]
_ENOUGH = 3
"""Findings of one rule; more of the same help nobody."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A way in which a rule was broken."""

    sentence: str
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A rule and what came out of trying it."""

    rule: Rule
    outcome: Outcome
    findings: tuple[Finding, ...] = ()
    reason: str = ""
    """Why it was not tried."""


class Book:
    """Keeps the findings; what was broken once is broken, however often it was kept."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._kept: set[str] = set()
        self._findings: dict[str, list[Finding]] = {}
        self._reasons: dict[str, str] = {}

    def keep(self, rule: str) -> None:
        """It was tried and held."""
        self._kept.add(rule)

    def broke(self, rule: str, sentence: str, *messages: Message | None) -> None:
        """It did not hold, as these messages show."""
        found = self._findings.setdefault(rule, [])
        if len(found) < _ENOUGH:
            found.append(Finding(sentence, tuple(each for each in messages if each is not None)))

    def check(self, rule: str, holds: object, sentence: str, *messages: Message | None) -> bool:
        """Kept if it holds; `sentence` says what is wrong if not."""
        if holds:
            self.keep(rule)
        else:
            self.broke(rule, sentence, *messages)
        return bool(holds)

    def skip(self, reason: str, *rules: str) -> None:
        """These could not be tried, and why; the first reason counts."""
        for rule in rules:
            self._reasons.setdefault(rule, reason)

    def is_kept(self, rule: str) -> bool:
        """Whether it was tried and held so far."""
        return rule in self._kept and rule not in self._findings

    def is_broken(self, rule: str) -> bool:
        """Whether it did not hold once."""
        return rule in self._findings

    def verdicts(self) -> list[Verdict]:
        """Of each rule for this kind of device."""
        return [self._verdict(rule) for rule in rules_of(self._kind)]

    def _verdict(self, rule: Rule) -> Verdict:
        if rule.id in self._findings:
            return Verdict(rule, "broken", tuple(self._findings[rule.id]))
        if rule.id in self._kept:
            return Verdict(rule, "kept")
        reason = self._reasons.get(rule.id, "there was no occasion")
        return Verdict(rule, "not tried", reason=reason)


def passed(verdicts: Iterable[Verdict]) -> bool:
    """Whether no must is broken."""
    return not any(each.rule.is_must and each.outcome == "broken" for each in verdicts)
