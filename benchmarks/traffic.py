"""The messages of real orders, published again and again under new ids at a fixed rate.

`python -m benchmarks.traffic URL RECORDING RATE SECONDS` publishes them.
"""

import asyncio
import re
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from bus.contract.topics import Topics
from bus.history.recording import Recorded, Recording, read_recording
from bus.link import Incoming, MqttConnector, Outgoing, Subscription
from bus.runtime.environment import Environment

_STEP = 0.01
"""Seconds between two bursts of messages."""
_IDS = re.compile(rb'"(?:id|correlationid|causationid|orderid|order|job|parcel)":"([^"]+)"')
_TRACE = 32
_TRACES = re.compile(rb"00-([0-9a-f]{32})-")


@asynccontextmanager
async def recorded(url: str, site: str, path: Path) -> AsyncIterator[None]:
    """Record what is published within the block, and the retained states."""
    environment = Environment()
    with Recording(path) as recording:
        async with MqttConnector(url).connect(f"recorder-{environment.boot}") as link:
            await link.subscribe([Subscription(Topics(site).everything(), 0)])

            async def listen() -> None:
                while True:
                    for message in await link.receive():
                        recording.write(environment.now(), message)

            listening = asyncio.create_task(listen())
            try:
                yield
            finally:
                listening.cancel()
                with suppress(asyncio.CancelledError):
                    await listening


class Traffic:
    """A recording that is repeated under new ids.

    Args:
        messages: of some orders from their beginning to their end, and states.
    """

    def __init__(self, messages: list[Incoming]) -> None:
        said = [each for each in messages if not each.topic.endswith("/presence")]
        self.states = [
            Outgoing(each.topic, each.payload, 0, retain=True)
            for each in messages
            if each.topic.endswith("/presence")
        ]
        ids = {found for each in said for found in _IDS.findall(each.payload)}
        traces = {found for each in said for found in _TRACES.findall(each.payload)}
        either = b'(?<=")(?:%s)(?=")|(?<=00-)(?:%s)(?=-)' % (
            b"|".join(map(re.escape, sorted(ids))), b"|".join(sorted(traces)),
        )  # fmt: skip
        split = re.compile(b"(%s)" % either).split
        self._said = [(each, split(each.payload)) for each in said]

    def message(self, number: int) -> Outgoing:
        """The message of this number, from 0, in an endless repetition."""
        again, place = divmod(number, len(self._said))
        heard, parts = self._said[place]
        payload = b"".join(_other(part, again) if at % 2 else part for at, part in enumerate(parts))
        asked = heard.correlation and _other(heard.correlation, again)
        return Outgoing(heard.topic, payload, 0, heard.retain, heard.response_topic, asked)


def read_traffic(path: Path) -> Traffic:
    """The traffic of a recording."""
    return Traffic([each.message for each in read_recording(path) if isinstance(each, Recorded)])


def _other(token: bytes, again: int) -> bytes:
    """An id, or a trace, that no other repetition has."""
    return b"%08x%s" % (again, token[8:]) if len(token) == _TRACE else b"%s-%x" % (token, again)


async def say(url: str, traffic: Traffic, rate: int, seconds: float) -> float:
    """Publish messages at a rate; returns the messages per second that were reached."""
    async with MqttConnector(url).connect("traffic") as link:
        for state in traffic.states:
            link.send(state)
        print("on", flush=True)
        began, said = time.monotonic(), 0
        while (passed := time.monotonic() - began) < seconds:
            for number in range(said, round(passed * rate)):
                link.send(traffic.message(number))
            said = max(said, round(passed * rate))
            await asyncio.sleep(_STEP)
        return said / passed


def main() -> None:
    """Read the arguments and publish."""
    url, path, rate, seconds = sys.argv[1:]
    said = asyncio.run(say(url, read_traffic(Path(path)), int(rate), float(seconds)))
    print(f"{said:.0f}")


if __name__ == "__main__":
    main()
