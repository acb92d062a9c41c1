"""A PUBLISH is read as MQTT 3.1.1 and 5 define it, and one that breaks them is noticed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bus.link import Incoming, Outgoing
from bus.link.handshake import read_subscribe
from bus.link.packets import (
    find_packet,
    pack_properties,
    read_puback,
    read_publish,
    write_puback,
    write_publish,
)

TOPIC = b"\x00\x03a/b"
QOS_0, RETAINED = 0x30, 0x31


def test_a_message_with_all_that_we_send_is_read_as_it_was_written() -> None:
    sent = Outgoing(
        "a/b", b"{}", response_topic="r/s", correlation=b"\xff\x00", expiry=7, trace="00-1-2-01"
    )
    packet = write_publish(sent, 1, 0x102, pack_properties(sent))
    received = Incoming(
        "a/b",
        b"{}",
        response_topic="r/s",
        correlation=b"\xff\x00",
        qos=1,
        expiry=7,
        user=(("traceparent", "00-1-2-01"),),
    )
    found = find_packet(packet, 0)
    assert found is not None
    start, end = found
    assert end == len(packet)
    assert read_publish(packet[0], packet[start:], v5=True) == (received, 0x102)


def test_at_qos_0_there_is_nothing_to_acknowledge() -> None:
    assert read_publish(QOS_0, TOPIC + b"\x00x", v5=True) == (Incoming("a/b", b"x"), None)


def test_a_retained_message_of_mqtt_3_has_no_properties() -> None:
    received = Incoming("a/b", b"\x00x", retain=True)
    assert read_publish(RETAINED, TOPIC + b"\x00x", v5=False) == (received, None)


def test_properties_are_read_or_passed_over_where_we_have_no_use_for_them() -> None:
    others = (
        b"\x01\x01"  # payload format indicator
        b"\x02\x00\x00\x00\x09"  # message expiry
        b"\x0b\x80\x01"  # subscription identifier 128
        b"\x26\x00\x01k\x00\x01v"  # user property
        b"\x26\x00\x01k\x00\x01w"
        b"\x09\x00\x02id"  # correlation data
        b"\x03\x00\x01t"  # content type
    )
    packet = TOPIC + bytes([len(others)]) + others + b"data"
    received = Incoming("a/b", b"data", correlation=b"id", expiry=9, user=(("k", "v"), ("k", "w")))
    assert read_publish(QOS_0, packet, v5=True) == (received, None)


def test_an_alias_stands_for_the_topic_it_came_with() -> None:
    alias, aliases = b"\x03\x23\x00\x05", dict[int, str]()
    named, _ = read_publish(QOS_0, TOPIC + alias + b"x", v5=True, aliases=aliases)
    short, _ = read_publish(QOS_0, b"\x00\x00" + alias + b"y", v5=True, aliases=aliases)
    assert (named, short) == (Incoming("a/b", b"x"), Incoming("a/b", b"y"))


@pytest.mark.parametrize(
    ("topic", "aliases"),
    [(TOPIC, None), (b"\x00\x00", {4: "another"})],
    ids=["none was granted", "it stands for nothing"],
)
def test_an_alias_that_nobody_granted_or_named_breaks_the_protocol(
    topic: bytes, aliases: dict[int, str] | None
) -> None:
    with pytest.raises(ValueError, match="alias"):
        read_publish(QOS_0, topic + b"\x03\x23\x00\x05x", v5=True, aliases=aliases)


@pytest.mark.parametrize(
    "packet",
    [
        b"\x00\x09a/b",
        TOPIC + b"\x02\x11\x00",
        TOPIC + b"\x05\x01\x01",
        TOPIC + b"\x04\x09\x00\x05id",
        TOPIC + b"\xff\xff\xff\xff\x01",
        TOPIC,
        b"\x00\x02\xff\xfe\x00",
    ],
    ids=[
        "the topic is cut off",
        "a property of another packet",
        "the properties are cut off",
        "a property is longer than the packet",
        "a length without an end",
        "no properties at all",
        "the topic is not UTF-8",
    ],
)
def test_a_packet_that_breaks_the_protocol_is_refused(packet: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_publish(QOS_0, packet, v5=True)


@given(packet=st.binary(max_size=60), first=st.integers(QOS_0, 0x3D), v5=st.booleans())
def test_whatever_arrives_is_read_or_refused(packet: bytes, first: int, *, v5: bool) -> None:
    try:
        message, _ = read_publish(first, packet, v5=v5)
    except ValueError:
        return
    assert packet.endswith(message.payload)


@pytest.mark.parametrize("size", [0, 1, 121, 122, 20_000, 3_000_000])
@pytest.mark.parametrize(("qos", "retain"), [(0, False), (1, False), (1, True)])
def test_what_we_publish_is_read_back_whatever_its_size(
    size: int, qos: int, *, retain: bool
) -> None:
    sent = Outgoing("a/b", b"x" * size, retain=retain)
    packet = write_publish(sent, qos, 7, b"")
    found = find_packet(packet, 0)
    assert found is not None
    message, identifier = read_publish(packet[0], packet[found[0] : found[1]], v5=False)
    assert (message.topic, message.payload, message.retain) == ("a/b", sent.payload, retain)
    assert identifier == (7 if qos else None)


def test_a_packet_that_has_not_all_arrived_is_waited_for() -> None:
    packet = write_publish(Outgoing("a/b", b"x" * 200), 1, 7, b"")
    for arrived in range(1, len(packet)):
        assert find_packet(packet[:arrived], 0) is None
    assert find_packet(packet + packet[:1], len(packet)) is None


def test_a_length_without_an_end_breaks_the_protocol() -> None:
    with pytest.raises(ValueError, match="without an end"):
        find_packet(b"\x30\xff\xff\xff\xff\x01", 0)


def test_an_acknowledgement_says_what_it_acknowledges_and_whether_it_was_denied() -> None:
    assert read_puback(write_puback(0x102)[2:]) == (0x102, 0)
    assert read_puback(b"\x00\x07\x87\x00") == (7, 0x87)
    with pytest.raises(ValueError, match="in the middle"):
        read_puback(b"\x00")


def test_a_topic_that_no_packet_can_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="65,535"):
        write_publish(Outgoing("a" * 65_536, b""), 0, 0, b"")


def test_the_filters_of_a_subscription_are_read_in_both_versions() -> None:
    filters = b"\x00\x03a/#\x01\x00\x01+\x02"
    assert read_subscribe(b"\x00\x07" + filters, v5=False) == ["a/#", "+"]
    assert read_subscribe(b"\x00\x07\x02\x0b\x05" + filters, v5=True) == ["a/#", "+"]
    for cut in (1, 4, 7):
        with pytest.raises(ValueError, match="ends in the middle"):
            read_subscribe(b"\x00\x07" + filters[:cut], v5=False)
