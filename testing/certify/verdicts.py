"""The verdict on each rule: kept, broken (with the messages that show it), or not tried."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from testing.certify.observing_relay import ObservedMessage
from testing.certify.rules import Rule, rules_of

Outcome = Literal["kept", "broken", "not tried"]
_ENOUGH = 3
"""Violations that are kept for each rule: more of the same help nobody."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A way in which a rule was broken."""

    sentence: str
    messages: tuple[ObservedMessage, ...]


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """The outcome of one rule."""

    rule: Rule
    outcome: Outcome
    violations: tuple[Violation, ...] = ()
    reason: str = ""
    """Why it was not tried."""


class Verdicts:
    """Collects the outcomes; a rule that was broken once stays broken."""

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._kept: set[str] = set()
        self._findings: dict[str, list[Violation]] = {}
        self._reasons: dict[str, str] = {}

    def keep(self, rule: str) -> None:
        """The rule was tried and held."""
        self._kept.add(rule)

    def broke(self, rule: str, sentence: str, *messages: ObservedMessage | None) -> None:
        """The rule did not hold, as these messages show."""
        found = self._findings.setdefault(rule, [])
        if len(found) < _ENOUGH:
            found.append(Violation(sentence, tuple(each for each in messages if each is not None)))

    def check(
        self, rule: str, holds: object, sentence: str, *messages: ObservedMessage | None
    ) -> bool:
        """Note a rule as kept if it holds, else as broken; `sentence` says what is wrong."""
        if holds:
            self.keep(rule)
        else:
            self.broke(rule, sentence, *messages)
        return bool(holds)

    def skip(self, reason: str, *rules: str) -> None:
        """Note why these rules could not be tried; the first reason counts."""
        for rule in rules:
            self._reasons.setdefault(rule, reason)

    def is_kept(self, rule: str) -> bool:
        """Whether the rule was tried and has always held so far."""
        return rule in self._kept and rule not in self._findings

    def is_broken(self, rule: str) -> bool:
        """Whether the rule was violated."""
        return rule in self._findings

    def as_list(self) -> list[RuleVerdict]:
        """The verdict on each rule for this kind of device."""
        return [self._verdict(rule) for rule in rules_of(self._kind)]

    def _verdict(self, rule: Rule) -> RuleVerdict:
        if rule.id in self._findings:
            return RuleVerdict(rule, "broken", tuple(self._findings[rule.id]))
        if rule.id in self._kept:
            return RuleVerdict(rule, "kept")
        reason = self._reasons.get(rule.id, "there was no occasion")
        return RuleVerdict(rule, "not tried", reason=reason)


def passed(verdicts: Iterable[RuleVerdict]) -> bool:
    """Whether no must is broken."""
    return not any(each.rule.is_must and each.outcome == "broken" for each in verdicts)
