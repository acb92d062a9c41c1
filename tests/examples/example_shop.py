"""The store that the examples are tried in; its sorter is an example, too."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from device_process import SORTER, Device, device, host_and_port
from raw_client import RawClient, raw_over_mqtt
from running_store import eventually
from store_process import StoreProcess


@dataclass
class Shop:
    """A store without a sorter of its own."""

    store: StoreProcess
    websocket_port: int | None

    @property
    def engine(self) -> str:
        """Its broker."""
        return self.store.engine

    @property
    def url(self) -> str:
        """Where devices connect, all of which speak MQTT 3.1.1 here."""
        qos = "&qos=0" if self.engine == "embedded" else ""
        return f"mqtt://127.0.0.1:{self.store.port}?protocol=3.1.1{qos}"

    @property
    def address(self) -> tuple[str, str]:
        """Host and port, as the examples take them."""
        return host_and_port(self.url)

    @asynccontextmanager
    async def sorting(self, folder: Path) -> AsyncIterator[Device]:
        """The example of a sorter, at work as fast as it can."""
        async with device(SORTER, folder, *self.address, "sorter-1", "0") as sorter:
            await sorter.start()
            try:
                yield sorter
            finally:
                await sorter.stop()

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[RawClient]:
        """Somebody who sees all that is said, and may say anything."""
        async with raw_over_mqtt(self.url, "main", "tester-watch") as raw:
            yield raw

    async def restart_broker(self) -> None:
        """Kill the broker; returns when there is another."""
        before = self._broker()
        assert before is not None
        os.kill(before, signal.SIGKILL)
        await eventually(lambda: self._broker() not in (None, before))
        async with asyncio.timeout(30):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.store.port)
                except OSError:
                    await asyncio.sleep(0.05)
                else:
                    writer.close()
                    return

    def _broker(self) -> int | None:
        """The process that was started with the configuration in this store's own folder."""
        name = "mosquitto.conf" if self.engine == "mosquitto" else "embedded.toml"
        wanted = str(self.store.data / name)
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
                except OSError:
                    continue
                if wanted in words and "broker.parent_death" not in words:
                    return int(entry.name)
        return None
