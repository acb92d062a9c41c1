"""Times are read by RFC 3339, sections 5.6 and 5.7, and by nothing that is merely like it."""

import re
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.contract.timestamp import milliseconds, rfc3339

NEW_YEAR = 1_767_225_600_000
"""2026-01-01T00:00:00Z."""


@given(at=st.integers(0, 253_402_300_799_999))
def test_a_time_is_written_and_read_to_the_millisecond(at: int) -> None:
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", rfc3339(at))
    assert milliseconds(rfc3339(at)) == at


@given(at=st.datetimes(timezones=st.timezones(), allow_imaginary=False))
def test_every_time_with_an_offset_is_the_moment_that_python_knows(at: datetime) -> None:
    written = at.isoformat(timespec="milliseconds")
    if re.fullmatch(r".{23}[+-]\d\d:\d\d", written):  # some old offsets have seconds
        assert milliseconds(written) == round(datetime.fromisoformat(written).timestamp() * 1000)


@pytest.mark.parametrize(
    ("time", "at"),
    [
        ("2026-01-01T00:00:00Z", NEW_YEAR),
        ("2026-01-01t00:00:00z", NEW_YEAR),
        ("2026-01-01T01:30:00+01:30", NEW_YEAR),
        ("2025-12-31T16:00:00.5-08:00", NEW_YEAR + 500),
        ("2026-01-01T00:00:00-00:00", NEW_YEAR),
        ("2026-01-01T00:00:00.123456789012Z", NEW_YEAR + 123),
        ("2025-12-31T23:59:60Z", NEW_YEAR),
        ("2025-12-31T23:59:60.75Z", NEW_YEAR + 750),
        ("2025-12-31T15:59:60-08:00", NEW_YEAR),
        ("2026-01-01T05:29:60+05:30", NEW_YEAR),
        ("1969-12-31T23:59:59.250Z", -750),
        ("0001-01-01T00:00:00+23:59", -62_135_683_140_000),
        ("9999-12-31T23:59:60Z", 253_402_300_800_000),
    ],
)
def test_a_time_of_rfc_3339_is_read(time: str, at: int) -> None:
    assert milliseconds(time) == at


@pytest.mark.parametrize(
    "time",
    [
        "", "soon", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01T00:00Z", "2026-01-01T00Z",
        "20990101T000000Z", "2099-W01-1T00:00:00Z", "2099-001T00:00:00Z", "2026-01-01 00:00:00Z",
        "2026-01-01_00:00:00Z", "2026-01-01T00:00:00,5Z", "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00+0100", "2026-01-01T00:00:00+01", "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00+01:60", "2026-01-01T00:00:00+01:00:30",
        "2026-01-01T00:00:00\u221201:00",
        "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z", "2026-01-01T00:00:00Z\n",
        " 2026-01-01T00:00:00Z", "\u0662026-01-01T00:00:00Z", "+2026-01-01T00:00:00Z",
        "2026-01-01T00:00:60Z", "2025-12-31T23:58:60Z", "2025-12-30T23:59:60Z",
        "2025-12-31T23:59:60-08:00", "9999-12-31T23:59:60-00:01", "0001-01-01T00:00:60+00:01",
        "0000-01-01T00:00:00Z",
    ],
    ids=ascii,
)  # fmt: skip
def test_what_is_merely_like_it_is_none(time: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        milliseconds(time)
