"""Scenarios of a tester at the command line: asks, injects, listens, plays a node."""

import asyncio
import json
import os
import pty
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from needs import ENGINE
from ports import free_port
from store_process import STOREBUS, StorebusHere, StoreProcess, running_store_process, storebus

from store.shop import SAMPLE
from store.shop.reader import read_shop

in_one_loop = pytest.mark.asyncio(loop_scope="module")
SKU = "CAN-40"
PRICE = next(
    style.price.amount
    for product in read_shop(SAMPLE).products
    for style in product.styles
    if style.sku == SKU
)
PURCHASE = (
    f"lines[0].sku={SKU}", "lines[0].quantity=1", "payment.method=account",
    "payment.account=C-1001", "expected_total.currency=EUR",
)  # fmt: skip
PAID = (*PURCHASE, f"expected_total.amount={PRICE}")


async def _request(store: StoreProcess, *words: str) -> tuple[int, str, str]:
    return await storebus("request", *words, "--data", str(store.data))


@asynccontextmanager
async def _running(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A command that goes on; it is gone afterwards whatever happened."""
    process = await asyncio.create_subprocess_exec(
        *STOREBUS, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def _line(process: asyncio.subprocess.Process) -> dict[str, Any]:
    """The next line of JSON that it prints."""
    assert process.stdout is not None
    async with asyncio.timeout(30):
        line = await process.stdout.readline()
    assert line, "it ended"
    document: dict[str, Any] = json.loads(line)
    return document


async def _ended(process: asyncio.subprocess.Process) -> tuple[int | None, str]:
    async with asyncio.timeout(30):
        _, err = await process.communicate()
    return process.returncode, err.decode()


async def _buys_in_either_version(store: StoreProcess) -> None:
    code, out, err = await _request(store, "terminal-9", "catalog", "search", f"text={SKU}")
    assert code == 0, err
    styles = [style for product in json.loads(out)["products"] for style in product["styles"]]
    prices = {style["sku"]: style["price"]["amount"] for style in styles}
    words = (*PURCHASE, f"expected_total.amount={prices[SKU]}")
    for version in ((), ("--v311",)):
        code, out, err = await _request(
            store, "terminal-9", "settlement", "purchase", *words, *version
        )
        assert code == 0, err
        assert json.loads(out)["state"] == "settled"


@in_one_loop
async def test_a_tester_buys_with_words_in_either_version_of_mqtt(store: StoreProcess) -> None:
    await _buys_in_either_version(store)


async def test_a_tester_buys_with_words_on_the_embedded_broker(tmp_path: Path) -> None:
    async with running_store_process(tmp_path, "embedded") as store:
        await _buys_in_either_version(store)


@in_one_loop
async def test_the_same_id_again_has_one_effect_and_one_reply(store: StoreProcess) -> None:
    ask = ("terminal-9", "settlement", "purchase", "--id", "mine-1", "--raw")
    first, again = await _request(store, *ask, *PAID), await _request(store, *ask, *PAID)
    assert first == again
    document = json.loads(first[1])
    assert document["specversion"] == "1.0"
    assert document["correlationid"] == "mine-1"

    code, out, err = await _request(store, *ask[:-1], *PAID[1:], "lines[0].sku=OXF-BLU-M")
    assert (code, out) == (1, "")
    assert "409 id-reused" in err


@in_one_loop
async def test_a_refusal_of_the_store_is_printed_and_ends_with_1(store: StoreProcess) -> None:
    purchase = ("settlement", "purchase", *PURCHASE, "expected_total.amount=1")
    for words, said in (
        (("terminal-9", *purchase), "409 price-changed"),
        (("tester-1", *purchase), "403 forbidden"),
        (("terminal-9", "catalog", "lookup", "code=nothing"), "404 unknown-label"),
        (("terminal-9", "catalog", "lookup", "cod=1", "--force"), "422 invalid-field"),
        (("terminal-9", "catalog", "dance", "--force"), "404 unknown-operation"),
        (("terminal-9", "sorter-99", "about", "--timeout", "1"), "504 no-answer"),
    ):
        code, out, err = await _request(store, *words)
        assert (code, out) == (1, ""), (words, err)
        assert said in err
    code, out, err = await _request(
        store, "terminal-9", "catalog", "lookup", "code=nothing", "--raw"
    )
    assert (code, err) == (1, "")
    assert json.loads(out)["type"] == "storebus.catalog.lookup.problem"


@in_one_loop
async def test_data_come_from_a_file_or_from_a_pipe(store: StoreProcess, tmp_path: Path) -> None:
    data = tmp_path / "search.json"
    data.write_text('{"text": "shirt", "of-a-later-version": 1}')
    code, out, err = await _request(store, "tester-1", "catalog", "search", f"@{data}")
    assert code == 0, err
    process = await asyncio.create_subprocess_exec(
        *STOREBUS, "request", "tester-1", "catalog", "search", "-", "--data", str(store.data),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    piped, _ = await process.communicate(data.read_bytes())
    assert json.loads(piped) == json.loads(out)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("request", "terminal-9", "catalog", "lookup"), "code: it is missing"),
        (("request", "terminal-9", "catalog", "lookup", "cod=1"), "cod is no field"),
        (("request", "terminal-9", "catalog", "dance"), "has no operation dance"),
        (("request", "terminal-9", "toaster", "ping"), "no node of the contract"),
        (("request", "+", "catalog", "ping"), "cannot be a name"),
        (("request", "terminal-9", "catalog", "lookup", "@no-such.json"), "no-such.json"),
        (("publish", "a/#", "x"), "without + and #"),
        (
            ("publish", "req/terminal-9/catalog/search", "x"),
            "write ./req/terminal-9/catalog/search,",
        ),
        (
            ("publish", "storebus/1/main2/event/a/b", "x"),
            "write ./event/a/b --site main2, or insist",
        ),
        (
            ("publish", "main/state/a/b", "x"),
            "main/state/a/b is outside the site main, where no node",
        ),
        (("publish", "/storebus/1/rep/a/b/c", "x"), "write ./rep/a/b/c, or insist with --force"),
        (("publish", "a", "x", "--response-topic", "rep/a/b/c"), "write ./rep/a/b/c, or insist"),
        (("publish", "a"), "Give one of"),
        (("publish", "a", "zz", "--hex"), "not hex"),
        (("publish", "a", "x", "--v311", "--correlation", "1"), "need MQTT 5"),
        (("tail", "frm:terminal-7"), "There is no word frm"),
        (("tail", "op:purchas"), "no op:purchas: did you mean op:purchase? op:=purchas insists."),
        (("tail", "--", "-from:terminl-7"), "did you mean from:terminal-7?"),
        (("tail", "topic:req/a/b/c"), "did you mean topic:storebus/1/SITE/req/a/b/c?"),
        (("respond", "sorter-9", "pick"), "Give a reply"),
        (("respond", "sorter-9", "pick", "{"), "not JSON"),
        (("respond", "sorter-9", "pick", '{"job":"${data.job}"}'), "There is no variable data: a"),
        (("respond", "sorter-9", "pick", "--problem", "busy"), "CODE/STATUS"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_sent(
    storebus_here: StorebusHere, words: tuple[str, ...], said: str
) -> None:
    # There is no broker at this address: whoever tried to send would end with 3.
    code, out, err = storebus_here(*words, "--broker", f"mqtt://127.0.0.1:{free_port()}")
    assert (code, out) == (2, ""), err
    assert said in err


async def test_no_broker_is_told_and_ends_with_3() -> None:
    for words in (
        ("request", "terminal-9", "catalog", "ping"),
        ("request", "terminal-9", "catalog", "ping", "--repeat", "3"),
        ("publish", "a", "x"),
        ("tail",),
        ("respond", "sorter-9", "pick", "{}"),
        ("respond", "sorter-9", "pick", "{}", "--force"),
    ):
        code, _, err = await storebus(*words, "--broker", f"mqtt://127.0.0.1:{free_port()}")
        assert code == 3, (words, err)
        assert "No broker" in err
        assert "Traceback" not in err


@in_one_loop
async def test_many_questions_are_counted(store: StoreProcess) -> None:
    ask = ("terminal-9", "catalog", "search", "text=shirt", "--repeat", "20")
    for pace in ((), ("--rate", "100")):
        code, out, err = await _request(store, *ask, *pace)
        assert code == 0, err
        tally = json.loads(out)
        assert (tally["asked"], tally["outcomes"]) == (20, {"answered": 20})
        assert 0 < tally["latency_ms"]["p50"] <= tally["latency_ms"]["p99"]
    code, out, _ = await _request(
        store, "terminal-9", "catalog", "lookup", "code=nothing", "--repeat", "3"
    )
    assert code == 1
    assert json.loads(out)["outcomes"] == {"404 unknown-label": 3}


@in_one_loop
async def test_what_is_published_is_heard_as_it_is(store: StoreProcess) -> None:
    async with _running("tail", "text:odd", "--count", "4", "--data", str(store.data)) as tail:
        publish = ("--data", str(store.data))
        properties = ("--response-topic", "./rep/x", "--correlation", "c")
        if store.engine == "embedded":
            properties = ()  # it carries none
        await _until_heard(store, tail)
        for words in (
            ("./event/odd-1/x", "odd \u202e text", "--qos", "0"),
            ("./odd/place", "00ff", "--hex", *properties),
            ("./state/odd-1/x", "", "--retain"),
        ):
            code, out, err = await storebus("publish", *words, *publish)
            assert code == 0, err
            assert out.strip().isprintable()
        event, place, state = [await _line(tail) for _ in range(3)]
        assert event["payload"] == "odd \u202e text"
        assert place["payload_base64"] == "AP8="
        if properties:
            assert place["response_topic"] == "storebus/1/main/rep/x"
            assert place["correlation"] == "Yw=="
        assert state["topic"] == "storebus/1/main/state/odd-1/x"
        assert await _ended(tail) == (0, "")


@in_one_loop
async def test_who_insists_follows_what_the_contract_does_not_have(store: StoreProcess) -> None:
    data = ("--data", str(store.data))
    async with _running("tail", "node:=odd-0", "op:=begin", "--count", "1", *data) as tail:
        await _until_heard(store, tail)
        assert await _ended(tail) == (0, "")


@in_one_loop
async def test_what_is_published_is_told_with_where_it_went(store: StoreProcess) -> None:
    for words, where in (
        (("./event/odd-1/x",), "storebus/1/main/event/odd-1/x."),
        (("./odd/place",), "storebus/1/main/odd/place, which is no topic of the contract."),
        (("odd/place",), "odd/place, outside the site main."),
        (("event/odd-1/x", "--force"), "event/odd-1/x, outside the site main."),
        (("storebus/1/main/event/odd-1/x",), "storebus/1/main/event/odd-1/x."),
    ):
        code, out, err = await storebus("publish", *words, "odd", "--data", str(store.data))
        assert (code, out, err) == (0, f"Sent 3 bytes to {where}\n", "")


async def _until_heard(store: StoreProcess, tail: asyncio.subprocess.Process) -> None:
    """Publish until a tail that was just started hears it; what it still hears is passed over."""
    heard = asyncio.create_task(_line(tail))
    while not heard.done():
        await storebus("publish", "./event/odd-0/begin", "odd", "--data", str(store.data))
    assert (await heard)["topic"].endswith("/odd-0/begin")


@in_one_loop
async def test_a_payload_that_is_too_large_for_the_broker_is_not_sent(
    store: StoreProcess, tmp_path: Path
) -> None:
    large = tmp_path / "large"
    large.write_bytes(b"x" * 10_000_000)
    code, _, err = await storebus(
        "publish", "./odd/large", "--file", str(large), "--data", str(store.data)
    )
    assert code == 1
    # the embedded broker grants whatever it is asked for, and then hangs up
    refusal = "The broker ended the connection" if ENGINE == "embedded" else "is over 131072"
    assert refusal in err
    assert (await _request(store, "terminal-9", "catalog", "ping"))[0] == 0


@in_one_loop
async def test_a_tester_plays_a_terminal_that_is_reminded(
    store: StoreProcess, tmp_path: Path
) -> None:
    reply = tmp_path / "reply.json"
    reply.write_text('{"shown": true, "note": "${request.data.order} by ${request.id}"}')
    async with _running(
        "respond", "terminal-8", "remind", f"@{reply}", "--times", "1", "--delay", "0.1",
        "--data", str(store.data),
    ) as played:  # fmt: skip
        assert await _line(played) == {"playing": "terminal-8", "operation": "remind"}
        code, out, err = await _request(store, "terminal-8", "settlement", "purchase", *PAID)
        assert code == 0, err
        order = json.loads(out)["order"]
        answered = await _line(played)
        assert answered["caller"] == "settlement"
        assert answered["data"] == {"shown": True, "note": f"{order} by {answered['id']}"}
        assert await _ended(played) == (0, "")
    state = "settled"
    async with asyncio.timeout(30):
        while state != "reminded":
            code, out, err = await _request(
                store, "terminal-8", "settlement", "order", f"order={order}"
            )
            assert code == 0, err
            state = json.loads(out)["state"]


@in_one_loop
async def test_a_played_node_refuses_and_a_real_one_is_not_played(store: StoreProcess) -> None:
    data = ("--data", str(store.data))
    code, _, err = await storebus("respond", "catalog", "lookup", "{}", *data)
    assert code == 1
    assert "catalog is already running elsewhere" in err

    async with _running(
        "respond", "sorter-9", "pick", '{"available": {"A": "${request.data.job}"}}',
        "--problem", "busy/429", "--times", "1", *data,
    ) as played:  # fmt: skip
        await _line(played)
        ask = ("warehouse", "sorter-9", "pick", "job=j-1", "assignment=1", "order=o-1",
               "picks[0].sku=A", "picks[0].location=A-1", "picks[0].quantity=1",
               "pickup_point=north")  # fmt: skip
        code, out, err = await _request(store, *ask)
        assert (code, out) == (1, "")
        assert "429 busy" in err
        assert "available: A j-1" in err
        assert await _ended(played) == (0, "")

    async with _running("respond", "catalog", "dance", '{"step": 1}', "--force", *data) as beside:
        await _line(beside)
        found = await _request(store, "tester-1", "catalog", "ping")
        assert found[0] == 0, found


@in_one_loop
async def test_a_reply_that_breaks_the_contract_is_no_refusal(store: StoreProcess) -> None:
    data = ("--data", str(store.data))
    ask = ("warehouse", "sorter-9", "abort", "job=j-1", "assignment=1")
    breaks = "The reply of sorter-9 to abort breaks the contract:"
    for reply, said in (
        (('{"job": 7}',), f"{breaks} job: it must be a text.\ntaken: it is missing."),
        (('{"title": 1}', "--problem", "busy/429"), f"{breaks} title: it must be a text"),
    ):
        async with _running("respond", "sorter-9", "abort", *reply, *data) as played:
            await _line(played)
            code, _, err = await _request(store, *ask)
            assert code == 4, err
            assert err.startswith(said), err
            code, out, _ = await _request(store, *ask, "--repeat", "2")
            assert (code, json.loads(out)["outcomes"]) == (4, {"broken reply": 2})


@in_one_loop
async def test_a_reply_that_is_no_message_is_shown_as_it_is(store: StoreProcess) -> None:
    data = ("--data", str(store.data))
    asked = ("rep/tester-8/sorter-9/about", "tester-8", "sorter-9", "about")
    async with _running("request", *asked[1:], "--timeout", "20", *data) as asking:
        async with asyncio.timeout(20):
            while asking.returncode is None:
                await storebus("publish", f"./{asked[0]}", "busy", *data)
                with suppress(TimeoutError):
                    await asyncio.wait_for(asking.wait(), 0.1)
        out, err = await asking.communicate()
    assert (asking.returncode, out) == (4, b"busy\n")
    assert err.decode().startswith(
        "The reply of sorter-9 to about breaks the contract: The payload is not JSON."
    )


@in_one_loop
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
async def test_who_follows_or_plays_is_stopped_cleanly(store: StoreProcess, how: int) -> None:
    for words in (("tail",), ("respond", "sorter-9", "pick", "{}")):
        async with _running(*words, "--data", str(store.data)) as process:
            await _line(process)
            process.send_signal(how)
            assert await _ended(process) == (0, "")
    code, out, _ = await storebus(
        "tail", "topic:storebus/1/main/state/sorter-9/presence", "--count", "1",
        "--data", str(store.data),
    )  # fmt: skip
    assert code == 0
    assert json.loads(json.loads(out)["payload"])["data"]["status"] == "offline"


@in_one_loop
async def test_who_follows_or_plays_ends_when_its_reader_has_gone(store: StoreProcess) -> None:
    for words in ("tail kind:state", "respond sorter-9 pick '{}'"):
        command = " ".join((*STOREBUS, words, "--data", str(store.data)))
        process = await asyncio.create_subprocess_exec(
            "bash", "-c", f"set -o pipefail; {command} | head -n 1",
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(30):
                out, err = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        assert (process.returncode, err) == (0, b"")
        assert len(out.splitlines()) == 1


@in_one_loop
async def test_hostile_text_is_harmless_on_a_terminal(store: StoreProcess) -> None:
    hostile = "\x1b]0;owned\x07 \x9b31m \u202e"
    data = ("--data", str(store.data))
    code, _, err = await storebus("publish", f"./state/x-1/{hostile}", "x", *data)
    if store.engine == "mosquitto":  # it ends a connection over a topic with control characters
        assert code == 1
        assert "The broker ended the connection" in err
    else:
        assert code == 0, err
    topic = "./state/x-1/owned \u202e"
    code, _, err = await storebus("publish", topic, "x", "--retain", *data)
    assert code == 0, err
    shown = await _on_a_terminal("tail", "text:owned", "--count", "1", *data)
    reply = json.dumps({"text": hostile})
    async with _running("respond", "sorter-9", "about", reply, *data) as playing:
        await _line(playing)
        for how in ((), ("--raw",)):
            painted = await _on_a_terminal("request", "tester-1", "sorter-9", "about", *how, *data)
            assert "owned" in painted
            shown += painted
    assert "x-1/owned" in shown
    assert "\x1b]" not in shown
    assert "\x07" not in shown
    assert "\x9b" not in shown
    assert "\u202e" not in shown


async def _on_a_terminal(*arguments: str) -> str:
    """What a command paints on a terminal."""
    ours, its = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *STOREBUS, *arguments, stdout=its, stderr=its, env=os.environ | {"TERM": "xterm-256color"}
    )
    os.close(its)
    try:
        async with asyncio.timeout(30):
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
    painted = os.read(ours, 65_536).decode()
    os.close(ours)
    return painted


def test_the_shell_completes_nodes_operations_fields_and_filters(
    storebus_here: StorebusHere, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sorter-5.db").touch()
    data = f"--data {tmp_path}"
    monkeypatch.setattr(sys, "argv", ["storebus"])
    monkeypatch.setenv("_STOREBUS_COMPLETE", "complete_fish")
    monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
    for typed, offered in (
        (f"request {data} term", "terminal-1"),
        (f"request {data} tester-1 sor", "sorter-1 sorter-5"),
        ("request tester-1 catalog loo", "lookup"),
        ("request terminal-1 settlement purchase lines", "lines[0].sku= lines[0].quantity="),
        ("request terminal-1 settlement purchase payment.method=a", "payment.method=account"),
        ("tail sta", "status:"),
        ("respond sorter-1 pic", "pick"),
        (f"tail {data} node:sor", "node:sorter-1 node:sorter-5"),
        ("tail -- -kind:re", "-kind:rep -kind:req"),
        ("tail code:sold", "code:sold-out"),
        (f"node {data} s", "settlement sorter-1 sorter-5"),
        ("publish ", "./event/ ./rep/ ./req/ ./state/"),
        ("publish ./req/terminal-1/catalog/loo", "./req/terminal-1/catalog/lookup"),
        ("publish ./state/sorter-5/pre", "./state/sorter-5/presence"),
        ("publish ./event/settlement/ord", "./event/settlement/order-changed"),
        ("publish elsewhere/", ""),
        ("scan ter", "terminal-1"),
        ("buy ter", "terminal-1"),
        (f"buy terminal-1 {data} CAN-40", "CAN-40="),
        ("buy terminal-1 CAN-40=2 --pay ca", "card:"),
        ("buy terminal-1 CAN-40=2 --pay card:", "card:tok_approve card:tok_decline"),
        (f"buy terminal-1 {data} CAN-40=2 --pickup no", "north"),
        ("load --mix s", "scan= search="),
        ("load --mix scan=5,search=2,s", ""),
        (f"stock count {data} CAN-40", "CAN-40="),
        (f"retire {data} CAN-40", "CAN-40"),
        ("retire CAN-40 --as tes", "tester-1"),
    ):
        monkeypatch.setenv("_TYPER_COMPLETE_ARGS", f"storebus {typed}")
        _, out, _ = storebus_here()
        assert " ".join(line.split("\t")[0] for line in out.splitlines()) == offered, typed
