"""Silenced alarms and kinds of alarms ("shelved" in ISA-18.2)."""

from collections.abc import Iterable

from tui.model.alarms import ConsoleAlarm, Kind

Name = tuple[Kind, str | None]
"""An alarm by kind and subject, or a whole kind."""


class Silences:
    """What is silenced, and until when."""

    def __init__(self) -> None:
        self.until: dict[Name, int | None] = {}
        """The end of a silence, in milliseconds since the epoch; None: when the alarm ends."""

    def of(self, alarm: ConsoleAlarm) -> Name | None:
        """The silence that an alarm is under, if any."""
        names: tuple[Name, ...] = (alarm.key, (alarm.kind, None))
        return next((name for name in names if name in self.until), None)

    def hold(self, alarm: ConsoleAlarm) -> bool:
        """Whether an alarm is silenced."""
        return self.of(alarm) is not None

    def begin(self, kind: Kind, subject: str | None, until: int | None) -> None:
        """Begin a silence."""
        self.until[kind, subject] = until

    def end(self, kind: Kind, subject: str | None) -> None:
        """End a silence."""
        self.until.pop((kind, subject), None)

    def over(self, key: tuple[Kind, str]) -> None:
        """End the silence of an alarm that has ended."""
        self.until.pop(key, None)

    def tick(self, now: int, alarms: Iterable[ConsoleAlarm]) -> list[ConsoleAlarm]:
        """End the silences that are over; returns the alarms that ring again."""
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
