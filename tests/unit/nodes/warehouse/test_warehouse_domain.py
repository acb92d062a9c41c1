"""Goods are found in the bins, jobs go to sorters, and only the right sorter's word counts."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bus.contract.catalog import Line
from bus.contract.errors import InvalidField
from bus.contract.refusals import WrongState
from bus.contract.sorter import MAX_PICKS, PickLine
from bus.contract.warehouse import Packed, ShortPick
from nodes.warehouse.domain import (
    BookStock,
    Job,
    allocate,
    assign,
    go_without,
    lacking,
    packed,
    pick,
    short_pick,
    supersede,
)
from nodes.warehouse.goods_return import GoodsReturn, put_back, split_taken

SKUS = ["SHIRT", "COAT", "HAT"]
BINS = st.dictionaries(
    st.sampled_from(SKUS),
    st.dictionaries(st.sampled_from(["A-1", "A-2", "B-1", "B-2"]), st.integers(0, 6)),
)
WANTED = st.dictionaries(st.sampled_from(SKUS), st.integers(1, 12), min_size=1)
SHIRTS = Line(sku="SHIRT", quantity=2)


def _found(wanted: int, bins: dict[str, int]) -> list[tuple[str, int]] | None:
    picks = allocate([Line(sku="SHIRT", quantity=wanted)], {"SHIRT": bins})
    return None if picks is None else [(each.location, each.quantity) for each in picks]


def _job(number: int = 1, **more: object) -> Job:
    job = Job(f"j-{number}", f"o-{number}", "north", (SHIRTS,))
    return replace(job, **more)  # type: ignore[arg-type]


ASSIGNED = _job(state="assigned", sorter="sorter-1", assignment=2)
REPORT = Packed(job="j-1", assignment=2, order="o-1", parcel="p-1", lines=[SHIRTS])


def test_one_location_that_holds_enough_is_better_than_two() -> None:
    assert _found(4, {"A-1": 3, "A-2": 4, "B-1": 3}) == [("A-2", 4)]


def test_of_those_that_hold_enough_the_emptiest_is_emptied_first() -> None:
    assert _found(3, {"A-1": 9, "A-2": 3, "B-1": 4}) == [("A-2", 3)]


def test_a_line_is_split_over_as_few_locations_as_possible() -> None:
    assert _found(7, {"A-1": 1, "A-2": 2, "B-1": 4, "B-2": 4}) == [("B-1", 4), ("B-2", 3)]
    assert _found(9, {"A-1": 1, "A-2": 2, "B-1": 4, "B-2": 4}) == [
        ("A-2", 1), ("B-1", 4), ("B-2", 4),
    ]  # fmt: skip


@pytest.mark.parametrize("bins", [{}, {"A-1": 0}, {"A-1": 2, "B-1": 2}])
def test_nothing_is_allocated_when_the_bins_hold_too_little(bins: dict[str, int]) -> None:
    assert _found(5, bins) is None
    lines = [Line(sku="COAT", quantity=1), Line(sku="SHIRT", quantity=5)]
    assert allocate(lines, {"COAT": {"A-1": 1}, "SHIRT": bins}) is None
    assert allocate(lines, {}) is None


@given(wanted=WANTED, bins=BINS)
def test_what_is_allocated_is_what_was_wanted_and_lies_where_it_is_taken(
    wanted: dict[str, int], bins: dict[str, dict[str, int]]
) -> None:
    lines = [Line(sku=sku, quantity=quantity) for sku, quantity in wanted.items()]
    picks = allocate(lines, bins)
    enough = all(sum(bins.get(sku, {}).values()) >= wanted[sku] for sku in wanted)
    assert (picks is not None) == enough
    if picks is None:
        return
    sums: Counter[str] = Counter()
    for each in picks:
        sums[each.sku] += each.quantity
        assert 0 < each.quantity <= bins[each.sku][each.location]
    assert sums == wanted
    assert len({(each.sku, each.location) for each in picks}) == len(picks)
    assert [each.location for each in picks] == sorted(each.location for each in picks)
    for sku, quantity in wanted.items():
        if max(bins[sku].values()) >= quantity:
            assert sum(each.sku == sku for each in picks) == 1


def test_what_is_allocated_fits_the_message_to_the_sorter() -> None:
    """A style that lies in very many bins, one piece in each, does not stop the warehouse."""
    bins = {"SHIRT": {f"A-{place}": 1 for place in range(401)}}
    picks = allocate([Line(sku="SHIRT", quantity=401)], bins)
    if picks is not None:
        assert len(pick(_job(picks=picks, assignment=1)).picks) == 401


def test_a_job_has_as_many_picks_as_its_message_may_have_and_not_one_more() -> None:
    for places, fits in ((MAX_PICKS, True), (MAX_PICKS + 1, False)):
        bins = {"SHIRT": {f"A-{place}": 1 for place in range(places)}}
        picks = allocate([Line(sku="SHIRT", quantity=places)], bins)
        assert (picks is not None) == fits


@settings(max_examples=60)
@given(
    waiting=st.integers(0, 6),
    busy=st.sets(st.sampled_from(["sorter-1", "sorter-2", "sorter-3"])),
    online=st.sets(st.sampled_from(["sorter-1", "sorter-2", "sorter-3"])),
)
def test_the_first_jobs_go_to_the_sorters_that_are_there_and_free(
    waiting: int, busy: set[str], online: set[str]
) -> None:
    jobs = [_job(number, assignment=number) for number in range(waiting)]
    given_out = assign(jobs, busy, online)
    sorters = [sorter for _, sorter in given_out]
    assert set(sorters) <= online - busy
    assert len(set(sorters)) == len(sorters) == min(waiting, len(online - busy))
    for number, (job, sorter) in enumerate(given_out):
        assert job == replace(jobs[number], state="assigned", sorter=sorter, assignment=number + 1)


def test_a_superseded_job_waits_again_for_goods_of_its_own() -> None:
    picks = (PickLine(sku="SHIRT", location="A-1", quantity=2),)
    waiting = supersede(replace(ASSIGNED, picks=picks, pick_message="m-1"))
    assert (waiting.state, waiting.sorter, waiting.picks) == ("waiting", None, ())
    assert waiting.pick_message is None
    assert waiting.assignment == ASSIGNED.assignment == 2
    ((again, sorter),) = assign([waiting], (), ["sorter-1"])
    assert (again.assignment, sorter) == (3, "sorter-1")
    for job in (waiting, again):
        with pytest.raises(WrongState):
            packed(job, "sorter-1", REPORT)


def test_what_a_stopped_sorter_had_taken_is_told_from_what_still_lies_in_its_bins() -> None:
    picks = [
        PickLine(sku="SHIRT", location="A-1", quantity=2),
        PickLine(sku="SHIRT", location="A-2", quantity=3),
        PickLine(sku="HAT", location="A-3", quantity=1),
    ]
    there, gone = split_taken(picks, [Line(sku="SHIRT", quantity=3), Line(sku="COAT", quantity=1)])
    assert [(pick.location, pick.quantity) for pick in there] == [("A-2", 2), ("A-3", 1)]
    assert gone == (Line(sku="SHIRT", quantity=3),)
    assert split_taken(picks, []) == (tuple(picks), ())


def test_goods_are_put_back_in_parts_and_never_more_than_there_are() -> None:
    goods = GoodsReturn("p-1", "j-1", "o-1", (Line(sku="SHIRT", quantity=3),))
    goods = put_back(goods, "SHIRT", 2)
    assert goods.lines == (Line(sku="SHIRT", quantity=1),)
    for sku, quantity, left in (("SHIRT", 2, 1), ("HAT", 1, 0)):
        with pytest.raises(WrongState, match=f"Of p-1, {left} of {sku} are to be") as caught:
            put_back(goods, sku, quantity)
        assert caught.value.more == {"left": {"SHIRT": 1}}
    assert put_back(goods, "SHIRT", 1).lines == ()


def test_a_sorter_is_told_all_of_its_job() -> None:
    picks = (PickLine(sku="SHIRT", location="A-1", quantity=2),)
    told = pick(replace(ASSIGNED, picks=picks))
    assert (told.job, told.assignment, told.order) == ("j-1", 2, "o-1")
    assert (told.picks, told.pickup_point) == (list(picks), "north")


def test_the_right_sorters_parcel_is_taken_and_the_same_report_again_changes_nothing() -> None:
    done = packed(ASSIGNED, "sorter-1", REPORT)
    assert done == replace(ASSIGNED, state="packed", parcel="p-1")
    assert packed(done, "sorter-1", REPORT) is done


@pytest.mark.parametrize(
    ("sorter", "change"),
    [
        ("sorter-2", {}),
        ("sorter-1", {"assignment": 1}),
        ("sorter-1", {"assignment": 3}),
        ("sorter-1", {"order": "o-2"}),
    ],
    ids=["another sorter", "an old assignment", "a later assignment", "another order"],
)
@pytest.mark.parametrize("before", [ASSIGNED, replace(ASSIGNED, state="packed", parcel="p-1")])
def test_the_word_of_anyone_else_does_not_count(
    before: Job, sorter: str, change: dict[str, object]
) -> None:
    assignment = change.get("assignment", 2)
    refusal = f"not {sorter}'s under assignment {assignment}"
    with pytest.raises(WrongState, match=refusal) as caught:
        packed(before, sorter, REPORT.model_copy(update=change))
    assert caught.value.more == {"state": before.state, "assignment": 2}


def test_a_second_parcel_of_the_same_job_is_refused() -> None:
    done = packed(ASSIGNED, "sorter-1", REPORT)
    with pytest.raises(WrongState, match="another parcel") as caught:
        packed(done, "sorter-1", REPORT.model_copy(update={"parcel": "p-2"}))
    assert caught.value.more == {"state": "packed"}


@pytest.mark.parametrize(
    "lines",
    [
        [Line(sku="SHIRT", quantity=1)],
        [Line(sku="SHIRT", quantity=3)],
        [Line(sku="COAT", quantity=2)],
        [SHIRTS, Line(sku="COAT", quantity=1)],
    ],
)
def test_a_parcel_that_does_not_hold_what_was_ordered_is_refused(lines: list[Line]) -> None:
    with pytest.raises(InvalidField, match="what was ordered") as caught:
        packed(ASSIGNED, "sorter-1", REPORT.model_copy(update={"lines": lines}))
    assert caught.value.more == {"field": "lines"}


def test_a_parcel_may_name_a_style_in_several_lines() -> None:
    halves = [Line(sku="SHIRT", quantity=1)] * 2
    assert packed(ASSIGNED, "sorter-1", REPORT.model_copy(update={"lines": halves})).parcel == "p-1"


COAT = Line(sku="COAT", quantity=1)
PICKING = replace(
    ASSIGNED,
    lines=(Line(sku="SHIRT", quantity=5), COAT),
    picks=(
        PickLine(sku="COAT", location="A-1", quantity=1),
        PickLine(sku="SHIRT", location="A-1", quantity=2),
        PickLine(sku="SHIRT", location="A-2", quantity=3),
    ),
)


def _short(found: int, location: str = "A-2", **more: object) -> ShortPick:
    report = ShortPick(job="j-1", assignment=2, sku="SHIRT", location=location, found=found)
    return report.model_copy(update=more)


def test_what_is_short_at_one_location_is_taken_from_others_that_the_job_does_not_know() -> None:
    held = {"A-1": 9, "A-2": 4, "B-1": 1, "B-2": 1}
    short = short_pick(PICKING, "sorter-1", _short(1), held)
    assert (short.absent, short.missing) == (2, ())
    assert [(pick.location, pick.quantity) for pick in short.elsewhere] == [("B-1", 1), ("B-2", 1)]
    assert short.job.lines == PICKING.lines
    assert [(pick.sku, pick.location, pick.quantity) for pick in short.job.picks] == [
        ("COAT", "A-1", 1), ("SHIRT", "A-1", 2), ("SHIRT", "A-2", 1),
        ("SHIRT", "B-1", 1), ("SHIRT", "B-2", 1),
    ]  # fmt: skip


def test_a_job_goes_on_without_what_cannot_be_had() -> None:
    short = short_pick(PICKING, "sorter-1", _short(0), {"B-1": 1})
    assert short.missing == (Line(sku="SHIRT", quantity=2),)
    assert short.job.lines == (Line(sku="SHIRT", quantity=3), COAT)
    assert sum(pick.quantity for pick in short.job.picks) == 4
    assert short.job.state == "assigned"


def test_a_job_that_has_nothing_left_is_over() -> None:
    job = replace(PICKING, lines=(COAT,), picks=PICKING.picks[:1])
    short = short_pick(job, "sorter-1", _short(0, "A-1", sku="COAT"), {})
    assert (short.job.state, short.job.lines, short.job.picks) == ("withdrawn", (), ())
    assert short.job.sorter is None


def test_no_more_picks_are_added_than_a_job_may_have() -> None:
    picks = tuple(
        PickLine(sku=f"S-{place}", location="A-1", quantity=1) for place in range(MAX_PICKS - 2)
    )
    lines = tuple(Line(sku=pick.sku, quantity=1) for pick in picks)
    job = replace(
        PICKING,
        lines=(*lines, Line(sku="SHIRT", quantity=5)),
        picks=(*picks, PickLine(sku="SHIRT", location="A-2", quantity=5)),
    )
    held = {f"B-{place}": 1 for place in range(5)}
    short = short_pick(job, "sorter-1", _short(1), held)
    assert len(short.job.picks) == MAX_PICKS
    assert sum(line.quantity for line in short.missing) + len(short.elsewhere) == 4


@pytest.mark.parametrize(
    ("sorter", "report", "problem"),
    [
        ("sorter-2", _short(1), "j-1 is not sorter-2's under assignment 2"),
        ("sorter-1", _short(1, assignment=1), "j-1 is not sorter-1's under assignment 1"),
        ("sorter-1", _short(3), "j-1 takes no more than 3 of SHIRT from A-2"),
        ("sorter-1", _short(0, "C-1"), "j-1 takes no more than 0 of SHIRT from C-1"),
        ("sorter-1", _short(0, sku="HAT"), "j-1 takes no more than 0 of HAT from A-2"),
    ],
    ids=["another sorter", "an old assignment", "not short", "another place", "another style"],
)
def test_a_short_pick_that_cannot_be_is_refused(
    sorter: str, report: ShortPick, problem: str
) -> None:
    with pytest.raises((WrongState, InvalidField), match=problem) as caught:
        short_pick(PICKING, sorter, report, {"B-1": 9})
    assert caught.value.more in ({"state": "assigned", "assignment": 2}, {"field": "found"})


@pytest.mark.parametrize(
    ("counted", "correction"),
    [(0, -8), (7, -1), (8, 0), (10, 0), (11, 0), (13, 0), (14, 1), (20, 7)],
)
def test_a_count_corrects_what_is_wrong_for_certain(counted: int, correction: int) -> None:
    """Ten are booked; two of them are not acknowledged yet, three are perhaps still there."""
    assert BookStock(booked=10, coming=2, leaving=3).correction(counted) == correction
    assert BookStock(booked=10).correction(counted) == counted - 10


def test_a_short_pick_of_a_job_that_is_packed_is_refused() -> None:
    with pytest.raises(WrongState):
        short_pick(replace(PICKING, state="packed"), "sorter-1", _short(1), {})


@given(wanted=WANTED, bins=BINS)
def test_what_the_bins_lack_is_what_a_job_has_to_go_without(
    wanted: dict[str, int], bins: dict[str, dict[str, int]]
) -> None:
    lines = tuple(Line(sku=sku, quantity=quantity) for sku, quantity in wanted.items())
    job = go_without(_job(lines=lines, pick_message="m-1"), lacking(lines, bins))
    there = {sku: min(wanted[sku], sum(bins.get(sku, {}).values())) for sku in wanted}
    assert {line.sku: line.quantity for line in job.lines} == {
        sku: quantity for sku, quantity in there.items() if quantity
    }
    over = (job.state, job.pick_message) == ("withdrawn", None)
    assert over == (not job.lines)
    assert allocate(job.lines, bins) is not None
