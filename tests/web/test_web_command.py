"""`storebus up` and `storebus web` serve the page, and the audit counts what phones bought."""

import asyncio
import re
import socket
from pathlib import Path

from ports import free_port
from shop import Phone
from store_process import running_store_process, storebus

LABEL = "09506000134352"


def page_of(printed: str) -> str:
    """Where the page is served, as it was printed."""
    found = re.search(r"http://[0-9.]+:\d+", printed)
    assert found, printed
    return found[0]


def buy(url: str, node: str) -> str:
    """Buy a shirt at a page; the order."""
    phone = Phone(url, {})
    with phone.http:
        order = phone.buy(LABEL, "OXF-BLU-M")
        assert f"storebus_{node}" in phone.http.cookies
        return order


async def test_phones_buy_at_two_page_servers_and_the_books_balance(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with running_store_process(data, "embedded", "inf", "--web-port", "0") as store:
        orders = [await asyncio.to_thread(buy, page_of(store.greeting), "web-1")]
        second = await store.spawn("web", "web-2", "--web-port", "0", "--data", str(data))
        assert second.stdout is not None
        try:
            async with asyncio.timeout(30):
                url = page_of((await second.stdout.readline()).decode())
            orders.append(await asyncio.to_thread(buy, url, "web-2"))
            same = await storebus("web", "web-2", "--web-port", "0", "--data", str(data))
        finally:
            second.terminate()
            await second.communicate()
        assert second.returncode == 0
        assert same[0] == 1
        assert "web-2" in same[2]
        await store.quiet()
    code, out, err = await storebus("audit", str(data))
    assert code == 0, out + err
    assert len(set(orders)) == 2


async def test_a_page_that_cannot_be_served_is_told_and_ends_with_its_code(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        nowhere = ("--data", str(tmp_path), "--broker", "mqtt://127.0.0.1:9")
        code, _, err = await storebus("web", "--web-port", port, *nowhere)
        assert code == 2
        assert f"cannot listen on 127.0.0.1, port {port}: Address already in use." in err
    code, _, err = await storebus("web", "shop-1", "--web-port", "0", *nowhere)
    assert code == 2
    assert "shop-1 is no name of a page server" in err
    nobody = ("--broker", f"mqtt://127.0.0.1:{free_port()}", "--data", str(tmp_path))
    assert (await storebus("web", "--web-port", "0", *nobody))[0] == 3
