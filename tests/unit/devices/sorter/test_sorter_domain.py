"""A sorter takes one job at a time and does its steps in order, however often it is told."""

import sqlite3
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit_rows import tables

from bus.contract.catalog import Line
from bus.contract.sorter import Pick, PickLine
from devices.sorter import store
from devices.sorter.domain import (
    AssignedJob,
    accept,
    advance,
    report,
    short_pick,
    stop,
    take_rest,
    taken_lines,
    tombstone,
)
from devices.sorter.store import SCHEMA as SORTER

PICKS = [
    PickLine(sku="SHIRT", location="A-1", quantity=2),
    PickLine(sku="COAT", location="A-2", quantity=1),
    PickLine(sku="SHIRT", location="B-1", quantity=3),
]


def _pick(job: str = "j-1", assignment: int = 1, picks: list[PickLine] | None = None) -> Pick:
    return Pick(
        job=job, assignment=assignment, order="o-1", picks=picks or PICKS, pickup_point="north"
    )


def _begun(pick: Pick | None = None) -> AssignedJob:
    job = accept(pick or _pick(), None, 0, None, now=1000)
    assert job is not None
    return job


def _done(job: AssignedJob) -> AssignedJob:
    while job.step != "done":
        job = advance(job, job.since + 1, "p-1")
    return job


def test_a_free_sorter_takes_a_job() -> None:
    job = _begun()
    assert (job.id, job.assignment, job.order, job.pickup_point) == ("j-1", 1, "o-1", "north")
    assert (job.step, job.pick, job.since, job.picks) == ("assigned", 0, 1000, tuple(PICKS))
    assert job.parcel is None


def test_a_sorter_that_has_a_job_takes_no_other() -> None:
    assert accept(_pick("j-2"), None, 0, _begun(), now=2000) is None


@pytest.mark.parametrize("finished", [False, True])
def test_a_job_that_is_known_is_not_begun_again(finished: bool) -> None:
    job = advance(_begun(), 1500, "p-1")
    job = _done(job) if finished else job
    assert accept(_pick(), job, 1, None if finished else job, now=9000) is job


def test_an_assignment_that_was_aborted_or_superseded_is_never_begun() -> None:
    aborted = stop(_begun(), 2000)
    assert accept(_pick(), aborted, 1, None, now=9000) is None
    assert accept(_pick(), None, 2, None, now=9000) is None
    assert accept(_pick(), tombstone("j-1", 1, 500), 1, None, now=9000) is None
    assert accept(_pick(), None, 1, None, now=9000) is not None
    later = accept(_pick().model_copy(update={"assignment": 2}), None, 1, None, now=9000)
    assert later is not None
    assert (later.assignment, later.step) == (2, "assigned")


def test_what_is_left_of_a_job_that_never_came_names_nothing_but_itself() -> None:
    assert tombstone("j-1", 3, 500) == AssignedJob("j-1", 3, "none", "none", (), "aborted", 0, 500)
    assert taken_lines(tombstone("j-1", 3, 500)) == []


def test_a_job_that_is_stopped_says_what_had_been_taken() -> None:
    job, taken = _begun(), []
    while job.step != "done":
        taken.append((job.step, job.pick, len(stop(job, 1).found)))
        job = advance(job, 1, "p-1")
    assert taken == [
        ("assigned", 0, 0),
        *(
            entry
            for pick in range(3)
            for entry in (("travelling", pick, pick), ("picking", pick, pick + 1))
        ),
        ("conveying", 2, 3),
        ("packing", 2, 3),
    ]
    stopped = stop(job, 2)
    assert (stopped.step, stopped.since, len(stopped.found)) == ("aborted", 2, 3)
    assert stop(stopped, 3) is stopped
    assert taken_lines(stopped) == report(job).lines


@given(count=st.integers(1, 8))
def test_each_pick_is_travelled_to_and_picked_and_then_all_are_conveyed_and_packed(
    count: int,
) -> None:
    job = _begun(_pick(picks=[PICKS[0]] * count))
    seen = []
    while job.step != "done":
        job = advance(job, job.since + 1, "p-1")
        seen.append((job.step, job.pick))
        assert (job.parcel is not None) == (job.step == "done")
        state = job.state()
        assert (state.step, state.job, state.order) == (job.step, "j-1", "o-1")
        assert (state.pick, state.picks) == (job.pick, count)
    last = count - 1
    picking = [(step, place) for place in range(count) for step in ("travelling", "picking")]
    assert seen == [*picking, ("conveying", last), ("packing", last), ("done", last)]
    assert job.since == 1000 + len(seen)


def test_a_job_that_is_done_goes_no_further() -> None:
    with pytest.raises(KeyError, match="done"):
        advance(_done(_begun()), 1, "p-2")


def test_the_report_sums_up_what_lay_in_several_places() -> None:
    told = report(_done(_begun()))
    assert (told.job, told.assignment, told.order, told.parcel) == ("j-1", 1, "o-1", "p-1")
    assert told.lines == [Line(sku="SHIRT", quantity=5), Line(sku="COAT", quantity=1)]


def test_nothing_is_reported_before_it_is_packed() -> None:
    with pytest.raises(AssertionError, match="not packed"):
        report(advance(_begun(), 1, "p-1"))


def test_a_job_is_read_as_it_was_written_at_each_step() -> None:
    with tables(SORTER) as rows:
        job = _begun()
        while job.step != "done":
            store.save(rows, job)
            assert store.job(rows, "j-1", 1) == store.under_way(rows) == job
            job = advance(job, job.since + 1, "p-1")
        store.save(rows, job)
        assert store.job(rows, "j-1", 1) == job
        assert store.under_way(rows) is None
        assert store.job(rows, "j-2", 1) is None


def test_a_sorter_is_idle_since_its_last_job_was_over() -> None:
    with tables(SORTER) as rows:
        assert store.idle_since(rows) is None
        first = replace(_done(_begun()), since=5000)
        second = replace(_done(_begun(_pick("j-2"))), since=4000)
        third = replace(_begun(_pick("j-3")), since=1)
        for job in (first, second):
            store.save(rows, job)
        assert store.idle_since(rows) == 5000
        store.save(rows, third)
        assert store.under_way(rows) == third


def test_a_sorter_has_one_job_under_way() -> None:
    with tables(SORTER) as rows:
        store.save(rows, _begun())
        with pytest.raises(sqlite3.IntegrityError):
            store.save(rows, _begun(_pick("j-2")))


def _picking(job: AssignedJob) -> AssignedJob:
    while job.step != "picking":
        job = advance(job, job.since + 1, "p-1")
    return job


def test_a_pick_that_finds_too_little_waits_for_the_warehouses_word() -> None:
    job = advance(_picking(_begun()), 2000, "p-1", 1)
    assert (job.step, job.pick, job.since, job.found) == ("short", 0, 2000, (1,))
    told = short_pick(job)
    assert (told.job, told.assignment, told.sku) == ("j-1", 1, "SHIRT")
    assert (told.location, told.found) == ("A-1", 1)
    assert taken_lines(stop(job, 3000)) == [Line(sku="SHIRT", quantity=1)]


def test_the_rest_is_taken_where_the_warehouse_says_after_the_other_picks() -> None:
    short = advance(_picking(_begun()), 2000, "p-1", 0)
    job = take_rest(short, [PickLine(sku="SHIRT", location="C-1", quantity=2)], 3000)
    assert (job.step, job.pick, job.since) == ("travelling", 1, 3000)
    keys = {short.movement(), job.movement()}
    job = _done(job)
    assert [pick.location for pick in job.picks] == ["A-1", "A-2", "B-1", "C-1"]
    assert job.found == (0, 1, 3, 2)
    assert len(keys) == 2
    assert report(job).lines == [Line(sku="SHIRT", quantity=5), Line(sku="COAT", quantity=1)]


def test_a_parcel_holds_what_was_found() -> None:
    job = take_rest(advance(_picking(_begun()), 2000, "p-1", 1), [], 3000)
    job = take_rest(advance(_picking(job), 4000, "p-1", 0), [], 5000)
    assert report(_done(job)).lines == [Line(sku="SHIRT", quantity=4)]


def test_a_job_of_which_nothing_is_found_is_over_without_a_parcel() -> None:
    job = advance(_picking(_begun(_pick(picks=PICKS[:1]))), 2000, "p-1", 0)
    over = take_rest(job, [], 3000)
    assert (over.step, over.parcel, taken_lines(over)) == ("aborted", None, [])


def test_a_machine_that_says_it_found_more_than_asked_has_found_all() -> None:
    assert advance(_picking(_begun()), 2000, "p-1", 99).found == (2,)
