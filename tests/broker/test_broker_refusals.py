"""A broker that cannot run says why in a sentence, and what to do about it."""

import asyncio
import socket
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from broker_scenario import carry
from ports import free_port
from pydantic import ValidationError

from broker import mosquitto
from broker.child import Program
from broker.engine import RunningEngine, running_broker
from broker.ports import port_in_use
from broker.settings import BrokerSettings
from bus.contract.errors import BrokerError


@pytest.fixture
def two_ports() -> tuple[int, int]:
    first = free_port(2)
    return first, first + 1


@pytest.fixture
def somebody_on_second(two_ports: tuple[int, int]) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", two_ports[1])):
        yield two_ports[1]


async def refusal(settings: BrokerSettings, data: Path) -> str:
    with pytest.raises(BrokerError) as refused:
        async with running_broker(settings, data):
            pytest.fail("it runs")
    return str(refused.value)


async def test_a_port_in_use_is_named_with_the_way_out(
    engine: RunningEngine, somebody_on_second: int, tmp_path: Path
) -> None:
    settings = BrokerSettings(engine=engine, port=somebody_on_second)
    message = await refusal(settings, tmp_path)
    assert f"Port {somebody_on_second} on 127.0.0.1 is already in use" in message
    assert "--port N" in message


async def test_a_port_that_nobody_chose_gives_way_to_who_is_there(
    engine: RunningEngine, two_ports: tuple[int, int], somebody_on_second: int, tmp_path: Path
) -> None:
    default = BrokerSettings.model_construct({"engine"}, engine=engine, port=somebody_on_second)
    async with running_broker(default, tmp_path) as broker:
        assert urlsplit(broker.url_v311).port not in {None, *two_ports}
        assert broker.notice is not None
        assert f"Port {somebody_on_second} is in use by another program" in broker.notice
        assert f"listens on {urlsplit(broker.url_v311).port}" in broker.notice


async def test_of_two_stores_that_start_at_once_on_one_port_one_is_told_that_it_is_taken(
    engine: RunningEngine, two_ports: tuple[int, int], tmp_path: Path
) -> None:
    settings = BrokerSettings(engine=engine, port=two_ports[0])
    async with AsyncExitStack() as stack:
        results = await asyncio.gather(
            *(
                stack.enter_async_context(running_broker(settings, tmp_path / name))
                for name in "ab"
            ),
            return_exceptions=True,
        )
    refused = [each for each in results if isinstance(each, BrokerError)]
    assert len(refused) == 1
    assert "is already in use" in str(refused[0])


async def test_of_two_stores_that_start_at_once_each_has_a_broker_of_its_own(
    engine: RunningEngine, two_ports: tuple[int, int], tmp_path: Path
) -> None:
    default = BrokerSettings.model_construct({"engine"}, engine=engine, port=two_ports[0])
    async with AsyncExitStack() as stack:
        first, second = await asyncio.gather(
            *(stack.enter_async_context(running_broker(default, tmp_path / name)) for name in "ab")
        )
        assert first.url != second.url
        assert await carry(first.url, first.url_v311, b"shirt") == b"shirt"
        assert await carry(second.url, second.url_v311, b"coat") == b"coat"


async def test_the_next_start_finds_the_same_way_out(
    engine: RunningEngine, somebody_on_second: int, tmp_path: Path
) -> None:
    default = BrokerSettings.model_construct({"engine"}, engine=engine, port=somebody_on_second)
    urls = set()
    for _ in range(2):
        async with running_broker(default, tmp_path) as broker:
            urls.add(broker.url)
    assert len(urls) == 1


async def test_a_port_that_nobody_chose_and_nobody_has_is_taken_without_a_word(
    engine: RunningEngine, two_ports: tuple[int, int], tmp_path: Path
) -> None:
    default = BrokerSettings.model_construct({"engine"}, engine=engine, port=two_ports[0])
    async with running_broker(default, tmp_path) as broker:
        assert urlsplit(broker.url_v311).port == two_ports[0]
        assert "in use" not in (broker.notice or "")


async def test_the_embedded_brokers_second_port_counts_too(
    two_ports: tuple[int, int], somebody_on_second: int, tmp_path: Path
) -> None:
    settings = BrokerSettings(engine="embedded", port=two_ports[0])
    assert f"Port {somebody_on_second} " in await refusal(settings, tmp_path)


async def test_the_embedded_broker_needs_room_for_its_second_port(tmp_path: Path) -> None:
    settings = BrokerSettings(engine="embedded", port=65535)
    assert "below 65535 with --port N" in await refusal(settings, tmp_path)


@pytest.mark.usefixtures("no_mosquitto")
async def test_a_missing_mosquitto_is_answered_with_how_to_get_it(tmp_path: Path) -> None:
    assert mosquitto.find_mosquitto() is None
    message = await refusal(BrokerSettings(engine="mosquitto", port=0), tmp_path)
    assert "apt install mosquitto" in message
    assert "--engine embedded" in message


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "http://store:secret@broker.example",
        "broker.example:1883",
        "mqtt://",
        "mqtt://store:secret@:1883",
        "mqtt://store:secret@broker.example:harbour",
        "mqtt://store:secret@broker.example:99999",
        "mqtt://[store:secret",
    ],
)
async def test_a_bad_external_url_is_answered_with_a_good_one_and_not_repeated(
    url: str | None, tmp_path: Path
) -> None:
    message = await refusal(BrokerSettings(engine="external", url=url), tmp_path)
    assert "mqtt://broker.example:1883" in message
    assert "secret" not in message


async def test_an_url_for_an_engine_that_is_started_here_is_a_contradiction(
    tmp_path: Path,
) -> None:
    settings = BrokerSettings(engine="embedded", url="mqtt://broker.example")
    assert "--engine external" in await refusal(settings, tmp_path)


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid", "a..b"])
async def test_an_address_that_is_not_this_computers_is_refused(
    engine: RunningEngine, host: str, tmp_path: Path
) -> None:
    message = await refusal(BrokerSettings(engine=engine, host=host, port=0), tmp_path)
    assert "--host" in message


async def test_a_data_folder_that_cannot_be_written_is_named(
    engine: RunningEngine, tmp_path: Path
) -> None:
    taken = tmp_path / "data"
    taken.write_text("a file, not a folder")
    message = await refusal(BrokerSettings(engine=engine, port=0), taken)
    assert str(taken) in message
    assert "--data" in message


async def test_a_mosquitto_that_dies_at_start_has_its_last_words_in_the_message(
    installed_mosquitto: Path, two_ports: tuple[int, int], tmp_path: Path
) -> None:
    file = tmp_path / "mosquitto.conf"
    file.write_text("listener 1883 127.0.0.1\nno_such_option true\n")
    command = mosquitto.command(installed_mosquitto, file)
    log = tmp_path / "mosquitto.log"
    with pytest.raises(BrokerError, match="no_such_option"):
        await Program("mosquitto", command, log, "127.0.0.1", two_ports).start()


async def test_a_broker_that_never_listens_is_given_up_and_ended(
    monkeypatch: pytest.MonkeyPatch, two_ports: tuple[int, int], tmp_path: Path
) -> None:
    monkeypatch.setattr("broker.child.READY_SECONDS", 0.2)
    silent = (sys.executable, "-c", "input()")
    program = Program("silent", silent, tmp_path / "log", "127.0.0.1", two_ports)
    with pytest.raises(BrokerError, match=f"did not accept connections on port {two_ports[0]}"):
        await program.start()


async def test_a_program_that_is_not_there_is_a_brokers_error_too(
    two_ports: tuple[int, int], tmp_path: Path
) -> None:
    program = Program("absent", (str(tmp_path / "absent"),), tmp_path / "log", "::1", two_ports)
    with pytest.raises(BrokerError):
        await program.start()


def test_the_doctor_can_ask_whether_a_port_is_in_use(
    two_ports: tuple[int, int], somebody_on_second: int
) -> None:
    assert not port_in_use("localhost", two_ports[0])
    assert port_in_use("127.0.0.1", somebody_on_second)


def test_a_packet_limit_below_the_buss_own_is_refused() -> None:
    with pytest.raises(ValidationError):
        BrokerSettings(max_packet_size=65_536)


async def test_the_embedded_broker_says_that_it_has_no_websocket(tmp_path: Path) -> None:
    settings = BrokerSettings(engine="embedded", port=0, websocket_port=0)
    assert "does not speak WebSocket: apt install mosquitto" in await refusal(settings, tmp_path)
