"""Nodes whose replies break the contract: every command says whose reply, to what, and in what."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from running_store import RunBroker
from store_process import StorebusHere, Told, storebus

from bus.contract.envelope import Reading
from bus.contract.timestamp import rfc3339
from bus.contract.topics import Topics
from bus.link import Incoming, MqttConnector, Outgoing, Subscription
from bus.link.session import Session
from bus.runtime.environment import Environment

SITE = "broken"
SCARF = {
    "id": "scarf", "name": "Scarf", "description": "", "url": "https://shop.example/p/scarf",
    "styles": [{"sku": "SCARF", "gtin": "09506000134352", "attributes": {"size": "M"},
                "price": {"amount": 900, "currency": "EUR"}, "available": 3}],
}  # fmt: skip
SAID = {"search": {"products": [SCARF]}, "ping": {"node": "x", "boot": "1", "version": "1"}}
"""What is answered as it should be; everything else is answered with nothing."""
ASKED = """\
scenarios:
  - scenario: A label is looked up
    steps:
      - send: {from: terminal-1, to: catalog, op: lookup, data: {code: "09506000134352"}}
        reply: {}
"""


@pytest.fixture(scope="module", autouse=True)
def judge() -> None:
    """What is said here breaks the contract on purpose."""


@asynccontextmanager
async def _answering(url: str) -> AsyncIterator[None]:
    """The store's roles, played."""
    topics, environment = Topics(SITE), Environment()

    def receive(messages: list[Incoming]) -> None:
        for message in messages:
            address = topics.parse(message.topic)
            asked = Reading(message.payload).envelope()
            assert address is not None
            data: Any = SAID.get(address.name, {})
            time = rfc3339(environment.now())  # else no purchase with a deadline would be sent
            reply = {"id": f"r-{asked.id}", "correlationid": asked.id, "time": time, "data": data}
            topic = topics.reply(address.node, address.callee, address.name)
            session.send(Outgoing(topic, json.dumps(reply).encode(), 1))

    wanted = [Subscription(topics.requests_to(role), 1) for role in _ROLES]
    session = Session(MqttConnector(url), "broken-roles", wanted, receive, lambda: None)
    running = asyncio.create_task(session.run(once=True))
    try:
        await session.up.wait()
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


_ROLES = ("catalog", "settlement", "warehouse")


async def test_each_command_says_whose_reply_breaks_the_contract(
    run_broker: RunBroker, tmp_path: Path
) -> None:
    url, scenario = run_broker("embedded").url, tmp_path / "asked.yaml"
    scenario.write_text(ASKED)

    async def told(*words: str) -> Told:
        terminal = words[1] if words[0] in ("scan", "buy", "load") else "none"
        place = () if words[0] == "play" else ("--data", str(tmp_path / terminal))
        return await storebus(*words, "--broker", url, "--site", SITE, *place)

    buy = ("buy", "terminal-1", "SCARF", "--pay", "account:C-1001")
    async with _answering(url):
        scanned, bought, counted, retired, refunds, loaded, played = await asyncio.gather(
            told("scan", "terminal-2", "09506000134352"),
            told(*buy),
            told("stock", "count", "SCARF=3", "--why", "counted"),
            told("retire", "SCARF", "--why", "old"),
            told("resolve"),
            told("load", "--terminals", "1", "--rate", "2", "--duration", "1s", "--mix", "buy=1",
                 "--settle", "0.1", "--json"),
            told("play", str(scenario)),
        )  # fmt: skip
    breaks = "breaks the contract:"
    for (code, _, err), said in (
        (scanned, f"The reply of catalog to lookup {breaks} product: it is missing."),
        (bought, f"The reply of settlement to purchase {breaks} order: it is missing."),
        (counted, f"SCARF: The reply of warehouse to count {breaks} sku: it is missing."),
        (retired, f"The reply of catalog to retire {breaks} product: it is missing."),
        (refunds, f"The reply of settlement to refusals {breaks} refusals: it is missing."),
    ):
        assert (code, err.partition(" Whether")[0].strip()) == (4, said)
    assert "Whether it was bought is unknown." in bought[2]
    assert json.loads(loaded[1])["kinds"]["buy"]["refused"] == {"broken-reply": 2}
    assert played[0] == 1
    assert f"The reply of catalog to lookup {breaks} product: it is missing." in played[1]


def test_the_help_and_the_readme_name_the_exit_code(storebus_here: StorebusHere) -> None:
    code, out, _ = storebus_here("--help")
    assert code == 0
    words = " ".join(out.split())
    readme = Path(__file__).parents[2] / "README.md"
    for text in (words, " ".join(readme.read_text().split())):
        assert "4 a reply broke the contract" in text
