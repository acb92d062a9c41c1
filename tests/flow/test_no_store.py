"""Commands in a folder in which no store was started."""

from pathlib import Path

import pytest
from store_process import StorebusHere


@pytest.mark.parametrize(
    "command",
    [
        ("scan", "terminal-7", "09506000134352"),
        ("buy", "terminal-7", "CAN-40=1", "--pay", "account:C-1001"),
        ("request", "tester-1", "catalog", "search", "text=shirt"),
        ("publish", "./req/tester-1/catalog/search", "{}"),
        ("tail",),
        ("respond", "sorter-9", "pick", "{}"),
        ("record", "day.jsonl"),
        ("load", "--duration", "1s"),
        ("web",),
        ("node", "sorter-9"),
        ("stock", "count", "CAN-40=1", "--why", "counted"),
    ],
    ids=lambda command: command[0],
)
def test_a_command_says_where_to_go_asks_nobody_and_leaves_nothing_behind(
    command: tuple[str, ...],
    storebus_here: StorebusHere,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, told = storebus_here(*command)
    assert code == 3
    assert "No store was started here: storebus-data/broker-url is missing" in told
    assert "--data DIR" in told
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_was_chosen_in_the_settings_is_where_the_broker_is(
    storebus_here: StorebusHere, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STOREBUS_BROKER__PORT", "9")
    code, _, told = storebus_here("request", "tester-1", "catalog", "search", "text=shirt")
    assert code == 3
    assert "127.0.0.1:9" in told
