"""Who opens many connections, or sends half of what they say, and everybody else."""

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from running_store import PATIENCE
from shop import GENEROUS, SHIRT, Shop, open_shop

HASTY = GENEROUS.model_copy(
    update={"head_time": 1.0, "body_time": 1.0, "connections_per_client": 50}
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One whose page waits a second for what is to come."""
    with open_shop(tmp_path_factory.mktemp("shop"), HASTY) as opened:
        yield opened


@contextmanager
def connected(shop: Shop, source: str = "127.0.0.1") -> Iterator[socket.socket]:
    """A connection to the page, from an address of this machine."""
    port = int(shop.url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), PATIENCE, (source, 0)) as opened:
        yield opened


def until_closed(opened: socket.socket) -> bytes:
    """What comes until the page closes the connection."""
    received = b""
    try:
        while piece := opened.recv(65_536):
            received += piece
    except ConnectionError:
        pass
    return received


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET / HT",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-Long: ",
        b"POST /cart HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nform=",
    ],
)
def test_half_a_request_is_not_waited_for(shop: Shop, sent: bytes) -> None:
    with connected(shop) as opened:
        opened.sendall(sent)
        until_closed(opened)


def test_a_byte_now_and_then_buys_no_time(shop: Shop) -> None:
    with connected(shop) as opened:
        opened.sendall(b"GET / HTTP/1.1\r\n")
        opened.settimeout(0.1)
        began = time.monotonic()
        while time.monotonic() - began < PATIENCE and _takes_more(opened):
            pass
        assert time.monotonic() - began < PATIENCE


def _takes_more(opened: socket.socket) -> bool:
    """Send a further header field; whether the connection is still there a moment later."""
    try:
        opened.sendall(b"X: y\r\n")
        return opened.recv(1) != b""
    except TimeoutError:
        return True
    except ConnectionError:
        return False


def test_a_connection_between_two_requests_is_kept_for_longer(shop: Shop) -> None:
    with connected(shop) as opened:
        for _ in range(2):
            opened.sendall(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert opened.recv(65_536).startswith(b"HTTP/1.1 200")
            with connected(shop) as other:
                until_closed(other)  # for as long as a head may take


def test_who_opens_many_connections_keeps_nobody_else_out(shop: Shop) -> None:
    with ExitStack() as held:
        many = [held.enter_context(connected(shop, "127.0.0.2")) for _ in range(300)]
        refused = until_closed(many[-1])
        assert b"503" in refused
        assert b"Too many connections from here" in refused
        began = time.monotonic()
        assert httpx.get(f"{shop.url}/01/{SHIRT}").status_code == 200
        assert time.monotonic() - began < PATIENCE
        for each in many[:50]:
            until_closed(each)
        with connected(shop, "127.0.0.2") as again:
            again.sendall(b"HEAD / HTTP/1.0\r\n\r\n")
            assert until_closed(again).startswith(b"HTTP/1.1 200")


def test_a_burst_of_pages_behind_a_trusted_proxy_is_many_clients(tmp_path: Path) -> None:
    few = GENEROUS.model_copy(
        update={"rate": 0.001, "burst": 2, "trusted_proxies": "127.0.0.0/30, 10.1.1.1"}
    )
    with open_shop(tmp_path, few) as shop:
        for number in range(20):
            said = {"X-Forwarded-For": f"203.0.113.{number}"}
            assert httpx.get(shop.url, headers=said).status_code == 200
        for status in (200, 429):
            said = {"X-Forwarded-For": "203.0.113.1"}
            assert httpx.get(shop.url, headers=said).status_code == status

        async def from_elsewhere() -> list[int]:
            """Who is no proxy is not believed."""
            transport = httpx.AsyncHTTPTransport(local_address="127.0.0.9")
            async with httpx.AsyncClient(transport=transport) as http:
                answers = [
                    await http.get(shop.url, headers={"X-Forwarded-For": f"198.51.100.{number}"})
                    for number in range(3)
                ]
            return [answer.status_code for answer in answers]

        assert asyncio.run(from_elsewhere()) == [200, 200, 429]
