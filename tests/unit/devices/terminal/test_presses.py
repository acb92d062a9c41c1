"""Which presses were meant for what is shown: told with times, without a screen."""

from devices.terminal.kiosk.presses import Presses

HERE, NEAR, THERE = (60, 21), (63, 22), (10, 21)


def test_a_press_counts_that_comes_when_the_page_has_been_looked_at() -> None:
    presses = Presses(0.5)
    assert presses.counts(HERE, 10.0)
    presses.changed(10.03)
    assert presses.counts(HERE, 11.0)


def test_the_second_tap_does_not_count_on_another_page() -> None:
    presses = Presses(0.5)
    assert presses.counts(HERE, 10.0)
    presses.changed(10.03)
    assert not presses.counts(NEAR, 10.3)


def test_taps_of_somebody_impatient_count_as_one_until_they_pause() -> None:
    presses = Presses(0.5)
    presses.counts(HERE, 10.0)
    presses.changed(10.2)
    assert [presses.counts(HERE, 10.0 + tap * 0.4) for tap in range(1, 6)] == [False] * 5
    assert presses.counts(HERE, 12.6)


def test_a_key_that_is_held_down_does_not_lead_through_all_pages() -> None:
    presses = Presses(0.5)
    presses.counts("enter", 10.0)
    presses.changed(10.05)
    assert not any(presses.counts("enter", 10.0 + repeat / 30) for repeat in range(1, 90))


def test_quick_presses_on_one_page_all_count() -> None:
    presses = Presses(0.5)
    presses.changed(5.0)
    assert all(presses.counts(HERE, 10.0 + tap / 10) for tap in range(9))


def test_another_place_counts_as_soon_as_the_page_has_settled() -> None:
    presses = Presses(0.5)
    presses.counts(HERE, 10.0)
    presses.changed(10.0)
    assert not presses.counts(THERE, 10.4)
    assert presses.counts(HERE, 10.6)
