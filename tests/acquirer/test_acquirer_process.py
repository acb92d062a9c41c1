"""The acquirer as a process: killed, restarted, torn, held, ended; what it has said, stays."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from acquirer_process import SECONDS, AcquirerProcess

from nodes.settlement.acquirer.client import (
    Acquirer,
    Captured,
    Declined,
    NeverSeen,
    Refunded,
    RefusedRefund,
    Unknown,
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where this test's acquirers keep their log."""
    return tmp_path / "acquirer.jsonl"


def tear(log: Path) -> None:
    """Cut into the last line, as a kill in the middle of writing it would."""
    log.write_bytes(log.read_bytes()[:-20])


async def test_a_killed_acquirer_gives_the_same_answers_after_its_restart(log: Path) -> None:
    with AcquirerProcess(log) as process:
        async with Acquirer(process.url) as client:
            captured = await client.capture("a", "tok_approve", 700, "EUR")
            declined = await client.capture("b", "tok_decline", 700, "EUR")
            refunded = await client.refund("r", "a", 300)
            await client.void("v")
        assert process.stop(signal.SIGKILL)[0] == -signal.SIGKILL
    with AcquirerProcess(log) as process:
        async with Acquirer(process.url) as client:
            assert isinstance(captured, Captured)
            assert await client.outcome("a") == captured
            assert await client.capture("a", "tok_approve", 700, "EUR") == captured
            assert await client.capture("b", "tok_decline", 700, "EUR") == declined
            assert isinstance(refunded, Refunded)
            assert await client.refund("r", "a", 300) == refunded
            assert isinstance(await client.refund("s", "a", 401), RefusedRefund)
            assert await client.capture("v", "tok_approve", 700, "EUR") == Declined("voided")
            assert process.total() == 4


async def test_killed_while_it_holds_an_answer_back_it_still_knows_the_capture(log: Path) -> None:
    with AcquirerProcess(log) as process:
        async with Acquirer(process.url) as client, asyncio.TaskGroup() as group:
            held = group.create_task(client.capture("a", "tok_timeout", 700, "EUR"))
            while await client.outcome("a") == NeverSeen():
                pass
            process.stop(signal.SIGKILL)
        assert isinstance(held.result(), Unknown)
    with AcquirerProcess(log) as process:
        async with Acquirer(process.url) as client:
            captured = await client.capture("a", "tok_timeout", 700, "EUR")
        assert isinstance(captured, Captured)
        assert len(process.entries("a")) == 1


async def test_a_torn_last_line_was_never_answered_and_is_forgotten(log: Path) -> None:
    with AcquirerProcess(log) as process:
        async with Acquirer(process.url) as client:
            kept = await client.capture("kept", "tok_approve", 700, "EUR")
            await client.capture("torn", "tok_approve", 700, "EUR")
    tear(log)
    with AcquirerProcess(log) as process:
        async with Acquirer(process.url) as client:
            assert await client.outcome("kept") == kept
            assert await client.outcome("torn") == NeverSeen()
            again = await client.capture("torn", "tok_approve", 700, "EUR")
    with AcquirerProcess(log) as process:
        async with Acquirer(process.url) as client:
            assert await client.outcome("torn") == again


def test_a_log_that_is_broken_in_the_middle_is_not_guessed_at(log: Path) -> None:
    log.write_text('{"at":\n{}\n')
    with pytest.raises(AssertionError, match="line 1: not an entry of the log"):
        AcquirerProcess(log)


async def test_a_held_answer_ends_with_a_closed_connection(log: Path) -> None:
    with AcquirerProcess(log, "--hold", "0.1") as process:
        async with Acquirer(process.url) as client:
            first = await client.capture("a", "tok_timeout", 700, "EUR")
            assert first == Unknown("RemoteProtocolError")
            assert isinstance(await client.capture("a", "tok_timeout", 700, "EUR"), Captured)
        assert process.stop() == (0, "")


async def test_told_to_stop_it_does_not_wait_for_an_answer_that_it_holds_back(log: Path) -> None:
    with AcquirerProcess(log) as process:
        async with Acquirer(process.url) as client, asyncio.TaskGroup() as group:
            held = group.create_task(client.capture("a", "tok_timeout", 700, "EUR"))
            while await client.outcome("a") == NeverSeen():
                pass
            assert await asyncio.to_thread(process.stop) == (0, "")
        assert isinstance(held.result(), Unknown)


async def test_an_acquirer_that_is_gone_is_unknown_to_every_question(log: Path) -> None:
    with AcquirerProcess(log) as process:
        url = process.url
    async with Acquirer(url) as client:
        assert await client.capture("a", "tok_approve", 700, "EUR") == Unknown("ConnectError")
        assert await client.outcome("a") == Unknown("ConnectError")
        assert await client.void("a") == Unknown("ConnectError")
        assert await client.refund("r", "a", 1) == Unknown("ConnectError")


def test_told_to_exit_with_its_parent_it_ends_when_its_parent_is_gone(log: Path) -> None:
    with AcquirerProcess(log, "--exit-with-parent") as process:
        assert process.process.stdin is not None
        process.process.stdin.close()
        assert process.wait() == (0, "")


async def test_not_told_to_exit_with_its_parent_a_closed_stdin_means_nothing(log: Path) -> None:
    with AcquirerProcess(log) as process:
        assert process.process.stdin is not None
        process.process.stdin.close()
        async with Acquirer(process.url) as client:
            assert isinstance(await client.capture("a", "tok_approve", 1, "EUR"), Captured)


def test_a_new_one_waits_until_the_old_one_has_let_go_of_the_log(log: Path) -> None:
    with AcquirerProcess(log, "--exit-with-parent") as old:
        assert old.process.stdin is not None
        old.process.stdin.close()
        with AcquirerProcess(log) as new:
            assert new.entries("a") == []
        assert old.wait()[0] == 0


def test_a_port_that_is_taken_is_said_in_one_line(log: Path, tmp_path: Path) -> None:
    with AcquirerProcess(log) as process:
        command = [sys.executable, "-m", "acquirer"]
        port = process.url.rpartition(":")[2]
        second = subprocess.run(
            [*command, "--port", port, "--log", str(tmp_path / "second.jsonl")],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
            cwd=Path(__file__).parents[2],
        )
        assert second.returncode == 1
        assert second.stderr.startswith("acquirer: ")
        assert second.stderr.count("\n") == 1
