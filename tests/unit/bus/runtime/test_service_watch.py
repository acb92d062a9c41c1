"""Who is asked in vain is told: after a while without any success, and not for one failure."""

import pytest
from clocks import Host

from bus.runtime.service_watch import Service, ServiceWatch

PROVIDER = Service("provider-silent", "payment provider", "")
PICK = Service("refuses", "sorter-1", "pick")


class Watched:
    """A watch on a clock that the test sets."""

    def __init__(self) -> None:
        self.host = Host()
        self.environment = self.host.process()
        self.shown = 0
        self.watch = ServiceWatch("settlement", self.environment, self._show)

    def _show(self) -> None:
        self.shown += 1

    def fails(self, name: str, service: Service = PROVIDER, after: int = 0) -> None:
        """A try that takes so many milliseconds."""
        began = self.environment.steady()
        self.host.pass_(after)
        self.watch.failed(name, service, "no answer", began, f"o-{name}")

    @property
    def kinds(self) -> list[str]:
        """Of the alarms."""
        return [alarm.kind for alarm in self.watch.alarms]


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_a_provider_that_never_answers_is_told_after_five_seconds(watched: Watched) -> None:
    watched.fails("1")
    watched.host.pass_(1_000)
    watched.fails("1")
    assert not watched.kinds
    watched.host.pass_(4_000)
    watched.fails("2")
    (alarm,) = watched.watch.alarms
    assert (alarm.kind, alarm.subject) == ("provider-silent", "payment provider")
    assert alarm.values["reason"] == "no answer"
    watched.fails("2")
    assert watched.shown == 1, "the same is not shown again"
    watched.watch.served(PROVIDER)
    assert not watched.kinds
    assert watched.shown == 2


def test_one_time_out_is_told_at_once_where_nobody_else_is_served(watched: Watched) -> None:
    watched.fails("1", after=5_000)
    assert watched.kinds == ["provider-silent"]


def test_a_failure_among_others_that_are_served_is_none_of_the_provider(watched: Watched) -> None:
    for _ in range(20):
        watched.fails("1")
        watched.watch.served(PROVIDER)
        watched.host.pass_(2_500)
    assert not watched.kinds


def test_a_call_whose_outcome_stays_unknown_is_told_with_its_order(watched: Watched) -> None:
    for _ in range(31):
        watched.fails("1")
        watched.watch.served(PROVIDER)
        watched.host.pass_(2_000)
    (alarm,) = watched.watch.alarms
    assert (alarm.kind, alarm.order) == ("outcome-unknown", "o-1")
    watched.watch.done("1")
    assert not watched.kinds


def test_a_node_that_refuses_for_the_moment_again_and_again_is_told(watched: Watched) -> None:
    for _ in range(4):
        watched.fails("1", PICK)
        watched.host.pass_(2_000)
    (alarm,) = watched.watch.alarms
    assert (alarm.kind, alarm.subject) == ("refuses", "sorter-1")
    assert alarm.values == {"whom": "sorter-1", "operation": "pick", "reason": "no answer"}
    watched.watch.served(PICK)
    assert not watched.kinds
