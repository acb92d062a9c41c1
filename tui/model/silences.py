"""Alarms, and kinds of them, that ring no bell for a time (shelved, as ISA-18.2 calls it)."""

from collections.abc import Iterable

from tui.model.alarms import ConsoleAlarm, Kind

Name = tuple[Kind, str | None]
"""What is silent: an alarm by kind and subject, or a whole kind."""


class Silences:
    """What is silent, and until when."""

    def __init__(self) -> None:
        self.until: dict[Name, int | None] = {}
        """When it rings again, in milliseconds since the epoch; None: when it is over."""

    def of(self, alarm: ConsoleAlarm) -> Name | None:
        """By which silence an alarm is silent."""
        names: tuple[Name, ...] = (alarm.key, (alarm.kind, None))
        return next((name for name in names if name in self.until), None)

    def hold(self, alarm: ConsoleAlarm) -> bool:
        """Whether an alarm is silent."""
        return self.of(alarm) is not None

    def begin(self, kind: Kind, subject: str | None, until: int | None) -> None:
        """Be silent from now on."""
        self.until[kind, subject] = until

    def end(self, kind: Kind, subject: str | None) -> None:
        """Ring again."""
        self.until.pop((kind, subject), None)

    def over(self, key: tuple[Kind, str]) -> None:
        """An alarm is over, and what was silent of it alone."""
        self.until.pop(key, None)

    def tick(self, now: int, alarms: Iterable[ConsoleAlarm]) -> list[ConsoleAlarm]:
        """Some time has passed; the alarms that ring again."""
        held = list(alarms)
        kinds = {alarm.kind for alarm in held}
        over = [
            (kind, subject)
            for (kind, subject), until in self.until.items()
            if (until is not None and now >= until)
            or (until is None and subject is None and kind not in kinds)
        ]
        for name in over:
            del self.until[name]
        return [alarm for alarm in held if alarm.key in over or (alarm.kind, None) in over]
