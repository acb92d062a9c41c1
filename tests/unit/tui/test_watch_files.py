"""Where the alarms of a console are kept: with the store's data, or in the user's own folder."""

from pathlib import Path

import pytest

from cli.watch import _alarm_file
from store.settings import Settings, read_settings

ADDRESS = "mqtt://[::1]:1883"


def settings(data: Path) -> Settings:
    return read_settings(data=data, site="main")


def test_beside_the_data_of_the_store_that_was_started_here(tmp_path: Path) -> None:
    (tmp_path / "broker-url").touch()
    assert _alarm_file(None, ADDRESS, settings(tmp_path)) == tmp_path / "console-main.json"


def test_elsewhere_in_the_users_folder_apart_by_broker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broker-url").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    found = _alarm_file(ADDRESS, ADDRESS, settings(tmp_path))
    name = "console-main-mqtt______1__1883.json"
    assert found == tmp_path / "state" / "storebus" / name
    monkeypatch.setenv("XDG_STATE_HOME", "not/absolute")
    monkeypatch.setenv("HOME", str(tmp_path))
    found = _alarm_file(ADDRESS, ADDRESS, settings(tmp_path))
    assert found == tmp_path / ".local" / "state" / "storebus" / name


def test_a_user_without_a_home_has_a_console_that_keeps_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", nobody)
    assert _alarm_file(ADDRESS, ADDRESS, settings(tmp_path)) is None
