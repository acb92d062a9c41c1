"""What waits goes by a clock that nobody can set, across restarts on what was recorded."""

from pathlib import Path

import pytest
from clocks import DAY, NOON, Host

from bus.contract.timestamp import milliseconds
from bus.runtime.clock import NodeClock, StoreTime
from bus.runtime.environment import Environment
from bus.storage.journal import Journal
from bus.text.duration import elapsed


class Started:
    """One start of a node on a host, with its database."""

    def __init__(self, host: Host, path: Path) -> None:
        self.environment = host.process()
        self._clock = NodeClock(self.environment)
        self._journal = Journal(path, threaded=False)
        self._clock.resume(self._journal.reader)

    async def commit(self) -> None:
        """A transaction, as each records where the clocks are."""
        at = self._clock.moment()
        if self._clock.is_due(at):
            await self._journal.transact(lambda rows: self._clock.record(rows, at))
            self._clock.recorded(at)

    def step(self) -> int:
        """By how much the wall clock was set."""
        return self._clock.step()

    def end(self) -> int:
        """The process ends; what its steady clock said."""
        self._journal.close()
        return self.environment.steady()


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "settlement.db"


def test_a_node_begins_with_the_wall_clock_as_databases_of_earlier_releases_went_by_it(
    host: Host, path: Path
) -> None:
    started = Started(host, path)
    assert started.end() == NOON


@pytest.mark.parametrize("set_by", [3 * DAY, -DAY, 0])
async def test_setting_the_wall_clock_moves_nothing_that_waits(
    host: Host, path: Path, set_by: int
) -> None:
    started = Started(host, path)
    await started.commit()
    host.pass_(10_000)
    host.set_clock(set_by)
    assert started.environment.steady() == NOON + 10_000
    assert started.step() == set_by
    assert started.step() == 0, "it is told once"
    started.end()


@pytest.mark.parametrize("set_by", [3 * DAY, -DAY, 0])
async def test_a_restart_goes_on_where_it_was_though_the_clock_was_set_meanwhile(
    host: Host, path: Path, set_by: int
) -> None:
    before = Started(host, path)
    await before.commit()
    before.end()
    host.pass_(10_000)
    host.set_clock(set_by)
    after = Started(host, path)
    assert after.step() == set_by, "that it was set is noticed"
    assert after.end() == NOON + 10_000


async def test_a_step_is_recorded_so_that_a_start_of_the_host_takes_it_for_no_absence(
    host: Host, path: Path
) -> None:
    before = Started(host, path)
    await before.commit()
    host.set_clock(3 * DAY)
    assert before.step() == 3 * DAY
    await before.commit()
    before.end()
    host.reboot(60_000)
    assert Started(host, path).end() == NOON + 60_000


async def test_across_a_start_of_the_host_the_wall_clock_says_how_long_it_was_off(
    host: Host, path: Path
) -> None:
    before = Started(host, path)
    await before.commit()
    before.end()
    host.reboot(DAY)
    assert Started(host, path).end() == NOON + DAY


async def test_time_never_goes_back_before_what_was_recorded(host: Host, path: Path) -> None:
    before = Started(host, path)
    await before.commit()
    host.pass_(90_000)
    await before.commit()
    before.end()
    host.reboot(10_000, wrong=-3 * DAY)
    after = Started(host, path)
    assert after.step() < -2 * DAY
    assert after.end() == NOON + 90_000


async def test_a_copy_on_a_host_that_names_no_start_goes_by_the_wall_clock(
    host: Host, path: Path
) -> None:
    host.start = ""
    before = Started(host, path)
    await before.commit()
    before.end()
    host.pass_(7_000)
    assert Started(host, path).end() == NOON + 7_000


async def test_small_corrections_of_a_time_service_are_not_told_until_they_add_up(
    host: Host, path: Path
) -> None:
    started = Started(host, path)
    for _ in range(2):
        host.set_clock(1_200)
        assert started.step() == 0
    host.set_clock(1_200)
    assert started.step() == 3_600
    started.end()


def test_the_real_clocks_agree_with_each_other() -> None:
    environment = Environment()
    assert abs(environment.now() - environment.steady()) < 1_000
    assert environment.host() == Environment().host()


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [
        (-70_000, "70 s"),
        (3 * DAY, "3 days"),
        (-DAY, "24 h"),
        (3_600_000, "60 min"),
        (4_321, "4.32 s"),
    ],
)
def test_how_long_is_said_in_a_unit_that_people_can_read(milliseconds: int, said: str) -> None:
    assert str(elapsed(milliseconds, 3)) == said


# -- the store's time, as a device knows it -------------------------------------------------------


def ask(
    host: Host, known: StoreTime, store_ahead: int, way: int = 20, node: str = "catalog"
) -> None:
    """Ask a role whose clock is ahead; each way takes so many milliseconds."""
    asked = known_steady(host)
    host.pass_(way)
    said = host.wall + store_ahead
    host.pass_(way)
    known.heard(node, said, asked)


def known_steady(host: Host) -> int:
    """The steady clock of the only process in these tests, which has begun at noon."""
    return NOON + host.up - 1_000_000


def test_what_time_it_is_in_the_store_follows_from_a_reply(host: Host) -> None:
    known = StoreTime(host.process())
    assert known.at("settlement") is None
    ask(host, known, store_ahead=70_000)
    now = known.at("catalog")
    assert now is not None
    assert 0 <= host.wall + 70_000 - now <= 40, "never later than it is there"
    assert known.anywhere() == now
    assert known.at("settlement") is None, "another role's clock may be another host's"
    assert known.wrong() == pytest.approx(-70_000, abs=40)


def test_setting_the_devices_own_clock_changes_nothing_of_that(host: Host) -> None:
    known = StoreTime(host.process())
    ask(host, known, store_ahead=0)
    before = known.at("catalog")
    host.set_clock(-DAY)
    assert known.at("catalog") == before
    assert known.wrong() == pytest.approx(-DAY, abs=40)


def test_a_slow_reply_is_no_wrong_clock(host: Host) -> None:
    known = StoreTime(host.process())
    ask(host, known, store_ahead=0, way=4_000)
    assert known.wrong() == 0
    ask(host, known, store_ahead=0, way=5)
    now = known.at("catalog")
    assert now is not None
    assert host.wall - now <= 10, "a quick one narrows it"


def test_a_store_whose_clock_was_set_is_believed(host: Host) -> None:
    known = StoreTime(host.process())
    ask(host, known, store_ahead=0)
    ask(host, known, store_ahead=3 * DAY)
    assert known.at("catalog") == pytest.approx(host.wall + 3 * DAY, abs=40)


def test_a_refusal_corrects_what_was_thought_and_says_so_once(host: Host) -> None:
    known = StoreTime(host.process())
    assert known.corrected("settlement", host.wall + DAY)
    assert not known.corrected("settlement", host.wall + DAY)
    assert known.at("settlement") == host.wall + DAY


def test_roles_on_hosts_of_their_own_have_times_of_their_own(host: Host) -> None:
    known = StoreTime(host.process())
    ask(host, known, store_ahead=0, node="catalog")
    ask(host, known, store_ahead=90_000, node="settlement")
    assert known.at("settlement") == pytest.approx(host.wall + 90_000, abs=40)
    assert known.at("catalog") == pytest.approx(host.wall, abs=90)


@pytest.mark.parametrize(
    "said", ["9999-12-31T23:59:59.999Z", "1969-12-31T23:59:59Z", "0001-01-01T00:00:00Z"]
)
def test_a_time_that_no_store_can_mean_is_not_believed(host: Host, said: str) -> None:
    known = StoreTime(host.process())
    known.heard("catalog", milliseconds(said), known_steady(host))
    assert not known.corrected("settlement", milliseconds(said))
    assert known.at("settlement") is None
