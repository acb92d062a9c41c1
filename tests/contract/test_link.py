"""What every link does, over every transport: in memory, our own, and aiomqtt's."""

import asyncio
import socket
import subprocess
import sys

import pytest
from running_store import PATIENCE, TRANSPORTS, RunBroker, Transport, open_transport

from bus.contract.errors import LinkError
from bus.contract.values import MAX_PAYLOAD
from bus.link import Connector, Incoming, Link, Outgoing, Subscription
from bus.link.memory import MemoryLink
from bus.link.mqtt import MqttLink

WAYS = (*TRANSPORTS, "aiomqtt-mosquitto-3.1.1", "aiomqtt-embedded-3.1.1")
_DEPART = """
import asyncio, os, sys
from bus import link as links
from bus.link import Outgoing

async def main(kind, url, topic, goodbye):
    will = Outgoing(topic, b"lost", qos=1, retain=True)
    async with getattr(links, kind)(url).connect("departing-" + str(os.getpid()), will) as link:
        link.send(Outgoing(topic, b"here", qos=1, retain=True))
        print("here", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        if not goodbye:
            os._exit(0)

asyncio.run(main(*sys.argv[1:4], sys.argv[4] == "goodbye"))
"""


@pytest.fixture(name="transport", params=WAYS)
def every_transport(request: pytest.FixtureRequest, run_broker: RunBroker) -> Transport:
    """Each way that messages go on each link."""
    return open_transport(request.param, run_broker)


async def receive(link: Link, count: int = 1) -> list[Incoming]:
    """Exactly so many messages."""
    messages: list[Incoming] = []
    async with asyncio.timeout(PATIENCE):
        while len(messages) < count:
            messages += await link.receive()
    assert len(messages) == count
    return messages


async def test_a_message_reaches_who_subscribed_to_its_topic(
    connector: Connector, site: str
) -> None:
    async with connector.connect(f"{site}-a") as sender, connector.connect(f"{site}-b") as reader:
        await reader.subscribe([Subscription(f"{site}/shirt", 1)])
        sender.send(Outgoing(f"{site}/trousers", b"not this", qos=1))
        sender.send(Outgoing(f"{site}/shirt", b"this", qos=1))
        (message,) = await receive(reader)
        assert (message.topic, message.payload) == (f"{site}/shirt", b"this")
        assert not message.retain


async def test_a_link_hears_itself(connector: Connector, site: str) -> None:
    """The takeover check relies on it."""
    async with connector.connect(site) as link:
        await link.subscribe([Subscription(f"{site}/echo")])
        link.send(Outgoing(f"{site}/echo", b"hello"))
        assert (await receive(link))[0].payload == b"hello"


async def test_state_that_was_retained_reaches_who_comes_later(
    connector: Connector, site: str
) -> None:
    async with connector.connect(f"{site}-a") as owner:
        await owner.subscribe([Subscription(f"{site}/state", 1)])
        for payload in (b"old", b"new"):
            owner.send(Outgoing(f"{site}/state", payload, qos=1, retain=True))
        await receive(owner, 2)
        async with connector.connect(f"{site}-b") as late:
            await late.subscribe([Subscription(f"{site}/+", 1)])
            (state,) = await receive(late)
            assert (state.payload, state.retain) == (b"new", True)


async def test_an_empty_retained_message_clears_the_state(connector: Connector, site: str) -> None:
    async with connector.connect(f"{site}-a") as owner:
        await owner.subscribe([Subscription(f"{site}/state", 1)])
        for payload in (b"old", b""):
            owner.send(Outgoing(f"{site}/state", payload, qos=1, retain=True))
        await receive(owner, 2)
        async with connector.connect(f"{site}-b") as late:
            await late.subscribe([Subscription(f"{site}/state", 1)])
            owner.send(Outgoing(f"{site}/state", b"live", qos=1))
            assert [message.payload for message in await receive(late)] == [b"live"]


@pytest.mark.parametrize(
    ("pattern", "matching"),
    [
        ("req/+/catalog/+", {"req/tester-1/catalog/lookup"}),
        ("state/#", {"state/sorter-1/job", "state/catalog/presence"}),
        ("+/sorter-1/+", {"state/sorter-1/job"}),
        ("state/sorter-1/job", {"state/sorter-1/job"}),
        ("+", set()),
    ],
)
async def test_wildcards_match_levels(
    connector: Connector, site: str, pattern: str, matching: set[str]
) -> None:
    topics = ["req/tester-1/catalog/lookup", "state/sorter-1/job", "state/catalog/presence"]
    async with connector.connect(site) as link:
        await link.subscribe([Subscription(f"{site}/{pattern}", 1), Subscription(f"{site}/end/x")])
        for topic in (*topics, "end/x"):
            link.send(Outgoing(f"{site}/{topic}", b"", qos=1))
        arrived = {message.topic for message in await receive(link, len(matching) + 1)}
        assert arrived == {f"{site}/{topic}" for topic in (*matching, "end/x")}


async def test_an_oversize_payload_is_refused_and_the_link_still_works(
    connector: Connector, site: str
) -> None:
    async with connector.connect(site) as link:
        await link.subscribe([Subscription(f"{site}/#", 1)])
        with pytest.raises(LinkError):
            link.send(Outgoing(f"{site}/large", b"x" * (2 * MAX_PAYLOAD + 1), qos=1, retain=True))
        link.send(Outgoing(f"{site}/small", b"x" * MAX_PAYLOAD, qos=1))
        (message,) = await receive(link)
        assert (message.topic, len(message.payload)) == (f"{site}/small", MAX_PAYLOAD)
        await link.subscribe([Subscription(f"{site}/+", 1)])
        link.send(Outgoing(f"{site}/last", b"", qos=1))
        assert {each.topic for each in await link.receive()} == {f"{site}/last"}


async def test_a_thousand_messages_arrive_in_order(connector: Connector, site: str) -> None:
    async with connector.connect(f"{site}-a") as sender, connector.connect(f"{site}-b") as reader:
        await reader.subscribe([Subscription(f"{site}/#", 1)])
        for number in range(1000):
            sender.send(Outgoing(f"{site}/{number % 3}", str(number).encode(), qos=1))
        numbers = [int(message.payload) for message in await receive(reader, 1000)]
        assert numbers == list(range(1000))


async def test_correlation_data_comes_byte_for_byte(transport: Transport, site: str) -> None:
    if transport.name not in ("memory", "mosquitto-5"):
        pytest.skip("only MQTT 5 carries it, and the embedded broker's nodes send no properties")
    correlation = bytes(range(256))
    async with transport.connector.connect(site) as link:
        await link.subscribe([Subscription(f"{site}/#", 1)])
        topic = f"{site}/reply"
        link.send(Outgoing(topic, b"", 1, response_topic=f"{topic}/to", correlation=correlation))
        (message,) = await receive(link)
        assert (message.correlation, message.response_topic) == (correlation, f"{topic}/to")


async def test_who_listens_sees_how_a_message_was_sent(transport: Transport, site: str) -> None:
    topic = f"{site}/noted"
    async with transport.connector.connect(site) as link:
        await link.subscribe([Subscription(topic, 1)])
        link.send(Outgoing(topic, b"", 1, expiry=60, trace="00-1"))
        (message,) = await receive(link)
    assert message.qos == (0 if transport.engine == "embedded" else 1)
    with_properties = transport.v5 and transport.engine != "embedded"
    assert message.user == ((("traceparent", "00-1"),) if with_properties else ())
    assert message.expiry == (60 if with_properties else None)


@pytest.mark.parametrize("way", ["goodbye", "dies"])
async def test_the_will_is_published_when_a_process_dies_and_not_after_a_goodbye(
    transport: Transport, site: str, way: str
) -> None:
    if transport.broker is None:
        pytest.skip("a process of its own cannot be in the same memory")
    url = transport.broker.url if transport.v5 else transport.broker.url_v311
    async with transport.connector.connect(site) as link:
        await link.subscribe([Subscription(f"{site}/#", 1)])
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", _DEPART),
            *(type(transport.connector).__name__, url, f"{site}/presence", way),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert (await receive(link))[0].payload == b"here"
        await process.communicate(b"go\n")
        link.send(Outgoing(f"{site}/after", b"after", qos=1))
        payloads = {message.payload for message in await receive_until(link, b"after", way)}
        assert payloads == ({b"after"} if way == "goodbye" else {b"after", b"lost"})


async def test_last_words_and_a_goodbye_are_heard_by_whoever_leaves_in_the_middle_of_a_talk(
    connector: Connector, site: str
) -> None:
    """A terminal says that it is offline while the broker is still telling it things.

    Each start is a client of its own, as a node's name of it says (docs/adr/0002): who comes at
    once under the name of one that has just left may be called lost by the embedded broker.
    """
    will = Outgoing(f"{site}/presence", b"lost", qos=1)
    async with connector.connect(f"{site}-a") as listener:
        await listener.subscribe([Subscription(f"{site}/presence", 1)])
        for number in range(20):
            async with connector.connect(f"{site}-leaver-{number}", will) as link:
                await link.subscribe([Subscription(f"{site}/#", 1)])
                for _ in range(20):
                    link.send(Outgoing(f"{site}/talk", b"x" * 10_000, qos=1))
                link.send(Outgoing(f"{site}/presence", b"offline %d" % number, qos=1))
            (message,) = await receive(listener)
            assert message.payload == b"offline %d" % number


async def receive_until(link: Link, last: bytes, way: str) -> list[Incoming]:
    """What arrives up to the last one, and the will in whatever order where it is due."""
    wanted = {last} if way == "goodbye" else {last, b"lost"}
    messages: list[Incoming] = []
    async with asyncio.timeout(PATIENCE):
        while not wanted <= {message.payload for message in messages}:
            messages += await link.receive()
    return messages


async def test_in_memory_too_a_broken_link_leaves_its_will_and_a_closed_one_does_not() -> None:
    from bus.link import MemoryBroker

    broker = MemoryBroker()
    async with broker.connect("reader") as reader:
        await reader.subscribe([Subscription("#")])
        async with broker.connect("closed", Outgoing("will/closed", b"")):
            pass
        async with broker.connect("broken", Outgoing("will/broken", b"")) as broken:
            assert isinstance(broken, MemoryLink)
            broken.lose()
            with pytest.raises(LinkError):
                broken.send(Outgoing("late", b""))
            with pytest.raises(LinkError):
                await broken.receive()
        reader.send(Outgoing("last", b""))
        assert [message.topic for message in await receive(reader, 2)] == ["will/broken", "last"]


async def test_a_link_that_ends_because_its_task_is_cancelled_says_goodbye(
    connector: Connector, site: str
) -> None:
    """So does each node that is told to stop: its `offline` must not turn into `lost`."""
    async with connector.connect(f"{site}-a") as reader:
        await reader.subscribe([Subscription(f"{site}/#", 1)])
        up = asyncio.Event()

        async def stay() -> None:
            will = Outgoing(f"{site}/will", b"", qos=1)
            async with connector.connect(f"{site}-b", will) as link:
                await link.subscribe([Subscription(f"{site}/none")])
                up.set()
                await link.receive()

        task = asyncio.create_task(stay())
        await up.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        reader.send(Outgoing(f"{site}/last", b"", qos=1))
        assert [message.topic for message in await receive(reader)] == [f"{site}/last"]


async def test_no_packet_waits_for_the_acknowledgement_of_another(
    transport: Transport, site: str
) -> None:
    """Nagle's algorithm against delayed acknowledgements cost 40 ms a message."""
    if transport.broker is None:
        pytest.skip("in memory there are no packets")
    async with transport.connector.connect(site) as link:
        connected = (
            link._connection._transport.get_extra_info("socket")
            if isinstance(link, MqttLink)
            else link._client._client.socket()  # type: ignore[attr-defined]
        )
        assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
