"""A device developer meets a refusal: each has one code, a known status, and says what to do."""

import re

import pytest

from bus.contract.errors import PROBLEM_TYPE, Problem, Refused, StorebusError
from bus.contract.problem import ProblemData
from bus.contract.refusals import SoldOut, problems

STATUSES = {400, 402, 403, 404, 409, 410, 413, 422, 429, 500, 503, 504, 505}
"""The design's list."""


PROBLEMS = problems()


def test_every_code_stands_for_one_refusal() -> None:
    codes = [kind.code for kind in PROBLEMS]
    assert len(codes) > 20
    assert sorted(set(codes)) == sorted(codes)


@pytest.mark.parametrize("kind", PROBLEMS, ids=lambda kind: kind.code)
def test_a_refusal_goes_over_the_wire_as_a_problem(kind: type[Problem]) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", kind.code)
    assert kind.status in STATUSES
    data = kind("Something is wrong.", field="lines").to_data()
    assert isinstance(data, ProblemData)
    assert data.type == PROBLEM_TYPE + kind.code
    assert (data.status, data.code, data.title) == (kind.status, kind.code, kind.title)
    assert data.detail == "Something is wrong."
    assert data.model_dump()["field"] == "lines"
    assert ProblemData.model_validate_json(data.model_dump_json()) == data


@pytest.mark.parametrize("kind", PROBLEMS, ids=lambda kind: kind.code)
def test_only_what_may_pass_by_itself_is_worth_another_try(kind: type[Problem]) -> None:
    assert kind.retryable == (kind.status in {429, 500, 503, 504})


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("sold-out", 409),
        ("price-changed", 409),
        ("id-reused", 409),
        ("payment-declined", 402),
        ("unknown-label", 404),
        ("unknown-pickup-point", 404),
    ],
)
def test_the_codes_that_the_design_names_have_its_status(code: str, status: int) -> None:
    assert [kind.status for kind in PROBLEMS if kind.code == code] == [status]


def test_a_problem_that_came_over_the_wire_goes_on_as_it_came() -> None:
    came = SoldOut("Not enough left.", available={"OXF-BLU-M": 1}).to_data()
    refused = Refused(came)
    assert refused.to_data() is came
    assert str(refused) == "Not enough left."
    assert isinstance(refused, StorebusError)
