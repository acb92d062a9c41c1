"""Half a run of the tests is not taken for a whole one: its closing lines say what is missing."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
CONFTEST = """
import needs
needs.NEEDS["moon"] = needs.Need("the moon is not here", "wait for the night", lambda: False)
needs.NEEDS["sun"] = needs.Need("the sun is not here", "wait for the day", lambda: True)
"""
SOME = """
import needs
import pytest

@pytest.fixture
def moonlight():
    needs.require("sun", "moon")

@pytest.mark.needs("moon")
@pytest.mark.parametrize("number", range(3))
def test_marked(number, no_such_fixture):
    raise AssertionError

def test_with_a_fixture(moonlight):
    raise AssertionError

@pytest.mark.needs("sun")
def test_that_runs():
    pass

def test_elsewhere():
    pytest.skip("not on Sundays")

def test_whose_need_is_found_missing():
    needs.leave_out("sun")
"""


@pytest.mark.parametrize("processes", [0, 2])
def test_what_was_left_out_is_counted_and_how_to_get_it_is_said(
    tmp_path: Path, processes: int
) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_some.py").write_text(SOME)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "needs", "-p", "xdist"),
            *("-W", "error", "-n", str(processes), "--rootdir", tmp_path, tmp_path),
        ],
        cwd=tmp_path, env=os.environ | {
            "PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS.parent}",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    for said in (
        "4 tests were left out: the moon is not here (wait for the night)",
        "1 test was left out: the sun is not here (wait for the day)",
        "1 test was left out: they make no sense there (-rs says why)",
    ):
        assert said in lines
    assert "1 passed, 6 skipped" in lines[-1]


def test_there_is_one_way_to_leave_a_test_out_for_what_is_missing() -> None:
    others = re.compile(
        r"skipif|importorskip|which\(.*\) is None|skip\(.*(install|root|need|not here)"
    )
    found = {
        f"{file.relative_to(TESTS)}:{number}"
        for file in TESTS.rglob("*.py")
        if file.name not in ("needs.py", "readme.py", Path(__file__).name)
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if others.search(line)
    }
    assert not found, "ask with needs.py, which says how to get it"
