"""Scenario: the sorter's process is killed in each step of a job, and never conveys twice."""

import asyncio
import json
from pathlib import Path

import aiomqtt
from needs import ENGINE
from store_process import StoreProcess, running_store_process, storebus

from audit import findings

STEPS = ("travelling", "picking", "conveying", "packing")


async def test_a_sorter_killed_in_every_step_goes_on_and_conveys_once(tmp_path: Path) -> None:
    data = tmp_path / "data"
    async with running_store_process(data, ENGINE, "1", "--sorters", "0") as store:
        sorter = StoreProcess(data, port=store.port)
        node = ("node", "sorter-1", "--broker", store.url, "--data", str(data), "--speed", "20")
        sorter.process = await sorter.spawn(*node)
        await sorter.until("sorter-1 is on")
        async with aiomqtt.Client("127.0.0.1", store.port) as watcher:
            await watcher.subscribe("storebus/1/main/state/sorter-1/job", qos=1)
            buying = asyncio.create_task(
                storebus(
                    *("buy", "terminal-7", "CAN-40=2", "WCB-24=1", "--pay", "account:C-1003"),
                    *("--data", str(data)),
                )
            )
            killed: list[str] = []
            async with asyncio.timeout(60):
                async for message in watcher.messages:
                    assert isinstance(message.payload, bytes)
                    step = json.loads(message.payload)["data"]["step"]
                    if step in STEPS and step not in killed:
                        killed.append(step)
                        await sorter.kill()
                        sorter.process = await sorter.spawn(*node)
                    if step == "done":
                        break
            code, out, err = await buying
        assert (code, killed) == (0, list(STEPS)), err
        assert "Ready to collect" in out
        await store.quiet()
        assert sorter.process is not None
        await sorter.stop()

    lines = (data / "sorter-1.conveyor.jsonl").read_text().splitlines()
    moved = [json.loads(line) for line in lines]
    assert [entry["step"] for entry in moved] == [
        *("travelling", "picking"),
        *("travelling", "picking"),
        *("conveying", "packing"),
    ]
    assert len({entry["key"] for entry in moved}) == len(moved)
    assert findings([data]) == []
