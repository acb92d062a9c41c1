"""How a client introduces itself, and what a broker answers, in MQTT 3.1.1 and 5."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.link import Granted, Outgoing, Subscription
from bus.link.handshake import (
    Connecting,
    Introduction,
    read_connack,
    read_connect,
    read_suback,
    read_subscribe,
    write_connect,
    write_subscribe,
)
from bus.link.keep_alive import KeepAlive
from bus.link.packets import find_packet
from bus.link.reasons import name_of
from bus.link.window import Window

SUCCESS = 0


def _body(packet: bytes) -> bytes:
    found = find_packet(packet, 0)
    assert found is not None
    start, end = found
    assert end == len(packet)
    return packet[start:end]


@pytest.mark.parametrize("v5", [True, False])
@pytest.mark.parametrize("properties", [True, False])
def test_a_client_is_read_as_it_introduces_itself(*, v5: bool, properties: bool) -> None:
    will = Outgoing("state/lost", b"lost", retain=True)
    introduction = Introduction(
        "node-1", v5, 6, "user", "secret", will, will_qos=1, properties=v5 and properties
    )
    read = read_connect(_body(write_connect(introduction)))
    assert read.will is not None
    assert (read.v5, read.keep_alive) == (v5, 6)
    assert (read.will.topic, read.will.payload) == ("state/lost", b"lost")
    assert (read.will.qos, read.will.retain) == (1, True)


def test_a_client_without_a_will_or_a_name_of_a_user_says_so() -> None:
    packet = write_connect(Introduction("node-1", v5=False, keep_alive=6))
    assert packet == b"\x10\x12\x00\x04MQTT\x04\x02\x00\x06\x00\x06node-1"
    assert read_connect(_body(packet)) == Connecting(v5=False, will=None, keep_alive=6)


@pytest.mark.parametrize("v5", [True, False])
def test_filters_are_subscribed_to_at_the_quality_that_is_used(*, v5: bool) -> None:
    wanted = [Subscription("a/#", 1), Subscription("+", 0)]
    packet = write_subscribe(7, wanted, 0, v5=v5)
    assert read_subscribe(_body(packet), v5=v5) == ["a/#", "+"]
    assert packet[-1] == (0x08 if v5 else 0), "retained messages keep their flag in MQTT 5"


@pytest.mark.parametrize(("code", "name"), [(5, "Not authorized"), (9, "Unspecified error")])
def test_a_refusal_of_mqtt_3_is_said_in_the_words_of_5(code: int, name: str) -> None:
    assert name_of(read_connack(bytes((0, code)), v5=False).reason) == name


def test_what_a_broker_grants_is_read() -> None:
    said = b"\x21\x00\x05\x24\x00\x25\x00\x27\x00\x00\x01\x00\x28\x00\x13\x00\x09"
    welcome = read_connack(bytes((0, 0, len(said))) + said, v5=True)
    assert welcome.granted == Granted(0, retain=False, largest=256, wildcards=False, at_once=5)
    assert (welcome.reason, welcome.keep_alive) == (SUCCESS, 9)
    assert read_connack(b"\x00\x00\x00", v5=True).granted == Granted()


@pytest.mark.parametrize("packet", [b"", b"\x00", b"\x00\x00", b"\x00\x00\x03\x21\x00\x00"])
def test_an_answer_that_breaks_the_protocol_is_refused(packet: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_connack(packet, v5=True)


@given(packet=st.binary(max_size=40), v5=st.booleans())
def test_whatever_a_broker_answers_is_read_or_refused(packet: bytes, *, v5: bool) -> None:
    for read in (read_connack, read_suback):
        try:
            read(packet, v5=v5)
        except ValueError:
            continue


def test_no_more_is_on_its_way_than_the_broker_takes() -> None:
    sent: list[bytes] = []
    window = Window(sent.append)
    window.narrow(2)
    for identifier in range(1, 5):
        window.send(identifier, f"t/{identifier}", b"%d" % identifier)
    assert sent == [b"1", b"2"]
    assert window.acknowledged(1) == "t/1"
    assert window.acknowledged(9) is None, "which makes no room"
    assert sent == [b"1", b"2", b"3"]
    assert window.acknowledged(2) == "t/2"
    assert sent == [b"1", b"2", b"3", b"4"]


async def test_a_broker_that_does_not_answer_a_ping_is_lost() -> None:
    pinged, lost = asyncio.Event(), asyncio.Event()
    keep_alive = KeepAlive(0.01, pinged.set, lost.set)
    keep_alive.begin(None)
    async with asyncio.timeout(20):
        await pinged.wait()
        keep_alive.answered()
        pinged.clear()
        await pinged.wait()
        assert not lost.is_set()
        await lost.wait()
    keep_alive.end()
