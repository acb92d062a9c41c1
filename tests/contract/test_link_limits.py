"""A store on a Mosquitto that grants less than ours: it keeps to that, or says why it cannot."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from needs import require
from ports import free_port
from running_store import PATIENCE, PRODUCTS, Store, running_store

from broker import mosquitto
from broker.child import Program, stop
from bus.contract.catalog import SEARCH, UPSERT, Search, Upsert
from bus.contract.errors import BrokerError, Refused, TooLarge
from bus.contract.every import PING
from bus.contract.settlement import PURCHASE
from bus.contract.values import Empty
from bus.link import MqttConnector
from bus.link.granted import NO_RETAINED
from bus.runtime.caller import Caller
from cli import doctor
from store.settings import Settings

SMALL = 1030
"""Bytes of a packet: the product of the shirts gets through, the receipt for three styles not."""

Limited = Callable[..., AbstractAsyncContextManager[MqttConnector]]


@pytest.fixture
def limited(tmp_path: Path) -> Limited:
    """Runs a Mosquitto with these lines in its configuration."""
    require("mosquitto")
    binary = mosquitto.find_mosquitto()
    assert binary is not None

    @asynccontextmanager
    async def run(*lines: str, version: str = "5") -> AsyncIterator[MqttConnector]:
        port, file = free_port(), tmp_path / "mosquitto.conf"
        kept = {line.split()[0] for line in lines}
        ours = mosquitto.configuration("127.0.0.1", port, 131_072).splitlines()
        file.write_text(
            "\n".join([each for each in ours if each.split()[:1] != [*kept]] + [*lines])
        )
        command = mosquitto.command(binary, file)
        program = Program("mosquitto", command, tmp_path / "log", "127.0.0.1", (port,))
        process = await program.start()
        async with asyncio.timeout(PATIENCE):
            yield MqttConnector(f"mqtt://127.0.0.1:{port}?protocol={version}")
        await stop(process)

    return run


async def buys(store: Store) -> None:
    """Somebody buys, is reminded and collects."""
    receipt = await store.buy({"SHIRT-BLUE": 1})
    await store.reminded(receipt.order)
    assert (await store.collect(receipt.pickup_code)).state == "collected"


@pytest.mark.parametrize("line", ["max_qos 0", "max_topic_alias 0", "max_keepalive 10"])
async def test_a_store_works_with_what_it_is_granted(
    limited: Limited, tmp_path: Path, line: str
) -> None:
    async with limited(line) as connector, running_store(connector, tmp_path / "data") as store:
        await buys(store)


async def test_a_node_says_why_it_cannot_work_where_nothing_is_retained(
    limited: Limited, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_ROLES", ())  # none is there, and each would be waited for
    async with limited("retain_available false") as connector:
        with pytest.raises(BrokerError, match="keeps no retained messages") as refusal:
            async with running_store(connector, tmp_path / "data"):
                pass
        assert "retain_available true" in str(refusal.value)
        found = await doctor._store(connector.description, Settings(data=tmp_path))
        assert [text for good, what, text in found if what == "broker" and good is False] == [
            NO_RETAINED
        ]


@pytest.mark.parametrize("line", ["retain_available false", "max_qos 0"])
async def test_in_mqtt_3_where_a_broker_cannot_say_so_the_node_guesses_at_once(
    limited: Limited, tmp_path: Path, line: str
) -> None:
    async with limited(line, version="3.1.1") as connector:
        with pytest.raises(BrokerError, match=r"no retained messages.* or no QoS 1 \(\?qos=0\)"):
            async with running_store(connector, tmp_path / "data"):
                pass


@pytest.fixture
async def small(limited: Limited, tmp_path: Path) -> AsyncIterator[Store]:
    """A store on a broker that passes on small packets only."""
    async with (
        limited(f"max_packet_size {SMALL}") as connector,
        running_store(connector, tmp_path / "data", terminals=0) as store,
    ):
        yield store


async def test_what_is_too_large_for_the_broker_is_refused_and_everything_else_goes_on(
    small: Store, caplog: pytest.LogCaptureFixture
) -> None:
    told = [record.getMessage() for record in caplog.get_records("setup")]
    assert any("max_packet_size" in line for line in told)
    more = Upsert(products=PRODUCTS.products * 2)
    with pytest.raises(TooLarge) as at_the_sender:
        await small.ask(UPSERT, "catalog", more)
    assert at_the_sender.value.more == {"limit": SMALL}

    with pytest.raises(Refused) as at_the_other_end:  # both products are found: they do not fit
        await small.ask(SEARCH, "catalog", Search(text=""))
    assert at_the_other_end.value.data.code == "too-large"
    assert (await small.ask(SEARCH, "catalog", Search(text="", limit=1))).products[0].id == "mug"


async def test_a_receipt_that_does_not_get_through_is_no_refusal(small: Store) -> None:
    cart = {"SHIRT-BLUE": 2, "SHIRT-RED": 1, "MUG": 1}
    products = (await small.ask(SEARCH, "catalog", Search(text="shirt"))).products
    products += (await small.ask(SEARCH, "catalog", Search(text="mug"))).products
    styles = {style.sku: style for product in products for style in product.styles}
    purchase, identifier = small.purchase(cart, styles), "p" * 60
    async with Caller(small.deployment.connector, small.site, "terminal-9").connected() as caller:
        for _ in range(2):
            with pytest.raises(Refused) as told:
                await caller.ask(PURCHASE, "settlement", purchase, identifier=identifier)
            assert (told.value.data.code, told.value.data.retryable) == ("unavailable", True)
        assert (await caller.ask(PING, "settlement", Empty())).node == "settlement"
    assert small.rows("settlement", "SELECT count(*) FROM orders") == [(1,)]
