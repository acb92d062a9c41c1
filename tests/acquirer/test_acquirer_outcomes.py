"""A payment through the real acquirer: what settlement learns, and what is in the books then."""

import asyncio
import json
import logging
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx
import pytest
from acquirer_process import AcquirerProcess

from bus.contract.errors import ConfigurationError, Internal
from nodes.settlement.acquirer.client import (
    Acquirer,
    Captured,
    Declined,
    Misconfigured,
    NeverSeen,
    Refunded,
    RefusedRefund,
    Unknown,
)


async def test_a_good_card_is_captured(acquirer: AcquirerProcess, client: Acquirer) -> None:
    captured = await client.capture("approve", "tok_approve", 5900, "EUR")
    assert isinstance(captured, Captured)
    assert captured.reference.startswith("acq_")
    assert await client.outcome("approve") == captured
    (entry,) = acquirer.entries("approve")
    assert entry["kind"] == "capture"
    assert (entry["amount"], entry["currency"]) == (5900, "EUR")
    assert (entry["token"], entry["reference"]) == ("tok_approve", captured.reference)
    assert entry["at"].endswith("Z")


async def test_a_bad_card_is_declined_for_good(acquirer: AcquirerProcess, client: Acquirer) -> None:
    declined = Declined("card declined")
    assert await client.capture("decline", "tok_decline", 5900, "EUR") == declined
    assert await client.capture("decline", "tok_decline", 5900, "EUR") == declined
    assert await client.outcome("decline") == declined
    assert [entry["kind"] for entry in acquirer.entries("decline")] == ["decline"]


async def test_a_card_that_nobody_issued_is_declined(client: Acquirer) -> None:
    for number, token in enumerate(["tok_other", "tok_approved", "4111", "tok_"]):
        outcome = await client.capture(f"nobody-{number}", token, 1, "EUR")
        assert outcome == Declined("unknown token")


async def test_the_same_key_captures_once_however_often_and_how_fast_it_comes(
    acquirer: AcquirerProcess, client: Acquirer
) -> None:
    tries = [client.capture("twice", "tok_approve_2", 700, "EUR") for _ in range(10)]
    outcomes = set(await asyncio.gather(*tries))
    outcomes.add(await client.capture("twice", "tok_approve_2", 700, "EUR"))
    assert len(outcomes) == 1
    assert len(acquirer.entries("twice")) == 1


@pytest.mark.parametrize(
    ("token", "amount", "currency"),
    [("tok_approve_b", 700, "EUR"), ("tok_approve", 701, "EUR"), ("tok_approve", 700, "USD")],
)
async def test_the_same_key_with_another_body_is_our_defect(
    acquirer: AcquirerProcess, client: Acquirer, token: str, amount: int, currency: str
) -> None:
    await client.capture("other-body", "tok_approve", 700, "EUR")
    with pytest.raises(Internal):
        await client.capture("other-body", token, amount, currency)
    assert len(acquirer.entries("other-body")) == 1


async def test_a_lost_request_is_unknown_and_the_next_one_captures(
    acquirer: AcquirerProcess, client: Acquirer
) -> None:
    assert isinstance(await client.capture("lost", "tok_lost", 700, "EUR"), Unknown)
    assert await client.outcome("lost") == NeverSeen()
    assert isinstance(await client.capture("lost", "tok_lost", 700, "EUR"), Captured)
    assert len(acquirer.entries("lost")) == 1


async def test_an_error_is_unknown_and_the_next_try_captures(
    acquirer: AcquirerProcess, client: Acquirer
) -> None:
    assert isinstance(await client.capture("error", "tok_error", 700, "EUR"), Unknown)
    assert await client.outcome("error") == NeverSeen()
    assert isinstance(await client.capture("error", "tok_error", 700, "EUR"), Captured)
    assert len(acquirer.entries("error")) == 1


async def test_a_capture_that_was_not_answered_in_time_is_found_again_under_its_key(
    acquirer: AcquirerProcess,
) -> None:
    async with Acquirer(acquirer.url, timeout=0.3) as client:
        first = await client.capture("slow", "tok_timeout", 700, "EUR")
        assert isinstance(first, Unknown)
        captured = await client.capture("slow", "tok_timeout", 700, "EUR")
        assert isinstance(captured, Captured)
        assert await client.outcome("slow") == captured
    assert len(acquirer.entries("slow")) == 1


async def test_a_request_that_cannot_be_right_is_declined_and_leaves_no_trace(
    acquirer: AcquirerProcess, client: Acquirer
) -> None:
    assert await client.capture("bad", "tok_approve", 0, "EUR") == Declined("invalid amount")
    assert await client.capture("bad", "tok_approve", 1, "euro") == Declined("invalid currency")
    assert await client.capture("bad", "tok \ud800", 1, "EUR") == Declined("invalid body")
    assert await client.outcome("bad") == NeverSeen()
    assert acquirer.entries("bad") == []


async def test_a_bad_body_under_a_captured_key_is_never_called_a_decline(client: Acquirer) -> None:
    assert isinstance(await client.capture("bad-late", "tok_approve", 1, "EUR"), Captured)
    with pytest.raises(Internal):
        await client.capture("bad-late", "tok_approve", 0, "EUR")


@pytest.mark.parametrize("key", ["", "a/b", "..", "a b", "é", "a" * 129])
async def test_what_is_no_key_is_never_sent(client: Acquirer, key: str) -> None:
    with pytest.raises(Internal):
        await client.capture(key, "tok_approve", 1, "EUR")
    with pytest.raises(Internal):
        await client.outcome(key)


async def test_a_key_that_was_voided_first_refuses_the_late_original(
    acquirer: AcquirerProcess, client: Acquirer
) -> None:
    assert await client.void("void") == Declined("voided")
    assert await client.void("void") == Declined("voided")
    assert await client.capture("void", "tok_approve", 700, "EUR") == Declined("voided")
    assert await client.outcome("void") == Declined("voided")
    assert [entry["kind"] for entry in acquirer.entries("void")] == ["void"]


async def test_a_void_that_comes_too_late_says_so(client: Acquirer) -> None:
    captured = await client.capture("void-late", "tok_approve", 700, "EUR")
    assert await client.void("void-late") == captured
    await client.capture("void-declined", "tok_decline", 700, "EUR")
    assert await client.void("void-declined") == Declined("card declined")


async def test_refunds_never_exceed_what_was_captured(
    acquirer: AcquirerProcess, client: Acquirer
) -> None:
    await client.capture("refund", "tok_approve", 700, "EUR")
    too_much = RefusedRefund("more than was captured")
    assert await client.refund("refund-1", "refund", 701) == too_much
    assert isinstance(await client.refund("refund-1", "refund", 400), Refunded)
    assert await client.refund("refund-2", "refund", 301) == too_much
    assert isinstance(await client.refund("refund-3", "refund", 300), Refunded)
    assert await client.refund("refund-4", "refund", 1) == too_much
    (entry,) = acquirer.entries("refund-3")
    assert (entry["kind"], entry["capture"], entry["amount"]) == ("refund", "refund", 300)


async def test_the_same_refund_twice_gives_the_money_back_once(
    acquirer: AcquirerProcess, client: Acquirer
) -> None:
    await client.capture("refund-twice", "tok_approve", 700, "EUR")
    first = await client.refund("again", "refund-twice", 300)
    assert isinstance(first, Refunded)
    assert await client.refund("again", "refund-twice", 300) == first
    assert len(acquirer.entries("again")) == 1
    with pytest.raises(Internal):
        await client.refund("again", "refund-twice", 301)


async def test_only_what_was_captured_is_refunded(client: Acquirer) -> None:
    await client.capture("refund-declined", "tok_decline", 700, "EUR")
    await client.void("refund-voided")
    nothing = RefusedRefund("nothing was captured under this key")
    for capture in ("refund-declined", "refund-voided", "refund-never"):
        assert await client.refund(f"of-{capture}", capture, 1) == nothing
    assert await client.refund("of-zero", "refund-never", 0) == RefusedRefund("invalid amount")


def test_the_api_answers_in_json_with_the_documented_codes(acquirer: AcquirerProcess) -> None:
    body = {"token": "tok_approve", "amount": 5, "currency": "EUR"}
    with httpx.Client(base_url=acquirer.url, trust_env=False) as http:
        assert http.get("/health").json()["status"] == "ok"
        assert http.get("/captures/raw").json() == {"key": "raw", "state": "unknown"}
        assert http.post("/captures", json=body).status_code == 422
        key = {"Idempotency-Key": "raw"}
        for broken in (b"", b"[]", b"{", b'{"token":"tok_approve","amount":1.0,"currency":"EUR"}'):
            assert http.post("/captures", content=broken, headers=key).status_code == 422
        answer = http.post("/captures", json=body, headers=key)
        assert (answer.status_code, answer.json()["state"]) == (201, "captured")
        assert http.post("/captures/raw/void").status_code == 409
        assert http.post("/captures/a%20b/void").status_code == 422


async def test_a_proxy_of_the_environment_never_sees_a_payment(
    acquirer: AcquirerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with Acquirer(acquirer.url) as client:
        assert isinstance(await client.capture("proxy", "tok_approve", 1, "EUR"), Captured)


async def test_no_log_line_holds_a_token(
    acquirer: AcquirerProcess, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with Acquirer(acquirer.url) as client:
        for token in ("tok_approve_secret", "tok_lost_secret", "tok_error_secret", "secret"):
            await client.capture(f"log-{token}", token, 1, "EUR")
    lines = [record.getMessage() for record in caplog.records]
    # The keys of this test name the tokens; nothing else may.
    assert [line for line in lines if "secret" in line and "log-" not in line] == []


@pytest.mark.parametrize("url", ["", "acquirer:80", "ftp://acquirer", "http://", "http://a:b:c"])
def test_an_address_that_cannot_be_one_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(ConfigurationError):
        Acquirer(url)


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (200, b"<html>"),
        (201, b"{}"),
        (201, json.dumps({"key": "other", "state": "captured", "reference": "acq_1"}).encode()),
        (201, json.dumps({"key": "k", "state": "captured"}).encode()),
        (408, b""),
        (409, json.dumps({"key": "k", "state": "in-progress"}).encode()),
        (409, json.dumps({"error": "busy with it", "status": "processing"}).encode()),
        (425, b""),
        (429, b"Too Many Requests"),
        (500, json.dumps({"key": "k", "state": "refused", "reason": "no"}).encode()),
        (503, json.dumps({"key": "k", "state": "declined", "reason": "no"}).encode()),
        (200, b"[" * 100_000),
    ],
)
async def test_an_answer_that_proves_nothing_is_unknown(status: int, content: bytes) -> None:
    async with answering({"/": (status, content)}) as client:
        assert isinstance(await client.capture("k", "tok_approve", 1, "EUR"), Unknown)
        assert isinstance(await client.refund("r", "k", 1), Unknown)


@asynccontextmanager
async def answering(answers: Mapping[str, tuple[int, bytes]]) -> AsyncIterator[Acquirer]:
    """A client of a provider that always says the same, by the longest end of the path."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        found = re.search(r"content-length: *([0-9]+)", head, re.IGNORECASE)
        await reader.readexactly(int(found[1]) if found else 0)
        path = head.split()[1]
        fitting = [end for end in answers if path.endswith(end)]
        status, content = answers[max(fitting, key=len) if fitting else "/"]
        told = f"Connection: close\r\nContent-Length: {len(content)}"
        writer.write(f"HTTP/1.1 {status} X\r\n{told}\r\n\r\n".encode() + content)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, Acquirer(f"http://127.0.0.1:{port}") as client:
        yield client


@pytest.mark.parametrize(
    ("status", "content", "words"),
    [
        (400, b'{"message": "amount is too small"}', "amount is too small"),
        (402, b"Payment Required", "status 402"),
        (404, b'{"error": {"message": "no such merchant"}}', "no such merchant"),
        (409, b'{"key": "k", "state": "refused", "reason": "card is blocked"}', "card is blocked"),
        (422, b"[]", "status 422"),
    ],
)
async def test_a_definite_no_is_a_decline_and_a_refused_refund(
    status: int, content: bytes, words: str
) -> None:
    voided = (200, b'{"key": "k", "state": "voided"}')
    for void in (voided, (404, b"")):
        async with answering({"/": (status, content), "/void": void}) as client:
            no = Declined(words, refused=True)
            assert await client.capture("k", "tok_approve", 1, "EUR") == no
            assert await client.refund("r", "k", 1) == RefusedRefund(words)


async def test_a_no_to_a_capture_whose_first_try_had_captured_is_no_decline() -> None:
    no = (409, b'{"message": "already paid"}')
    late = (409, b'{"key": "k", "state": "captured", "reference": "acq_1"}')
    async with answering({"/": no, "/void": late}) as client:
        assert await client.capture("k", "tok_approve", 1, "EUR") == Captured("acq_1")
    async with answering({"/": no, "/void": (503, b"")}) as client:
        assert isinstance(await client.capture("k", "tok_approve", 1, "EUR"), Unknown)


@pytest.mark.parametrize(
    ("status", "content", "words"),
    [
        (401, b"", "status 401"),
        (401, b'{"message": "the API key is not valid"}', "the API key is not valid"),
        (403, b'{"title": "not your account"}', "not your account"),
    ],
)
async def test_who_is_not_let_in_has_settings_to_mend(
    status: int, content: bytes, words: str
) -> None:
    async with answering({"/": (status, content)}) as client:
        assert await client.capture("k", "tok_approve", 1, "EUR") == Misconfigured(words)
        assert await client.refund("r", "k", 1) == Misconfigured(words)
        assert await client.void("k") == Unknown(words)


async def test_the_test_cards_refuse_what_they_are_named_after(
    acquirer: AcquirerProcess, client: Acquirer
) -> None:
    closed = RefusedRefund("the card's account is closed")
    assert await client.capture("rf", "tok_refuse", 5, "EUR") == Declined(
        "this card cannot be charged here", refused=True
    )
    for kind in ("norefund", "laterrefund"):
        assert isinstance(await client.capture(kind, f"tok_{kind}", 5, "EUR"), Captured)
        assert await client.refund(f"of-{kind}", kind, 5) == closed
    assert await client.refund("of-norefund", "norefund", 5) == closed
    assert isinstance(await client.refund("of-laterrefund", "laterrefund", 5), Refunded)
    refused = Misconfigured("the API key is not valid")
    assert await client.capture("ua", "tok_unauthorized", 5, "EUR") == refused
    assert isinstance(await client.capture("ua", "tok_unauthorized", 5, "EUR"), Captured)
    assert await client.refund("of-ua", "ua", 5) == refused
    assert isinstance(await client.refund("of-ua", "ua", 5), Refunded)
    assert [entry["kind"] for entry in acquirer.entries("rf")] == ["void"]


def test_the_client_loads_no_server() -> None:
    code = """
import sys, nodes.settlement.acquirer.client
assert not {"starlette", "uvicorn", "acquirer.server"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
