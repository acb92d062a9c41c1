"""A second process with a node's name finds the first one alive and refuses to start."""

import asyncio
from typing import TypeVar

from bus.contract.envelope import Reading
from bus.contract.errors import BrokerError, LinkError, Problem, RoleTakenError
from bus.contract.every import PING, PRESENCE, Pong, Presence
from bus.contract.outbound import MessageFactory
from bus.contract.topics import Topics
from bus.contract.values import Empty, Model
from bus.link import Connector, Incoming, Link, Outgoing, Subscription
from bus.runtime.admission import validate
from bus.runtime.environment import Environment
from bus.runtime.outgoing import outgoing

ModelT = TypeVar("ModelT", bound=Model)

_PING_EVERY = 0.2
_ASK_AGAIN = 1.0
"""The most seconds until a broker that was lost meanwhile is tried again."""


async def refuse_second(
    connector: Connector,
    topics: Topics,
    name: str,
    environment: Environment,
    wait: float,
    *,
    patient: bool = False,
) -> Presence | None:
    """Return if nobody else plays `name`: the presence last shown under it, if any is known.

    Asks for the retained presence; when that says that another start is `online`, it has `wait`
    seconds to answer a ping. Our own ping comes back after what is retained, so a free name costs
    no wait, unless `patient`: then whoever has just taken the name has this time to show it.
    A broker that was there and is lost meanwhile is waited for.

    Raises:
        RoleTakenError: another process answered.
        BrokerError: there is no broker.
    """
    ping = MessageFactory(topics, name, environment).request(name, PING, Empty())
    pong = topics.reply(name, name, PING.name)
    presence = topics.state(name, PRESENCE.name)
    message = outgoing(ping)
    reached = False
    while True:
        try:
            async with connector.connect(f"{topics.site}-{name}-claim-{environment.boot}") as link:
                await link.subscribe([Subscription(each) for each in (presence, pong, ping.topic)])
                listening = _Listening(environment.boot, presence, pong, name)
                return await listening.until_sure(link, message, wait, patient=patient)
        except LinkError:
            reached = True
        except BrokerError:
            if not reached:
                raise
        await asyncio.sleep(environment.chance.uniform(0, _ASK_AGAIN))


class _Listening:
    """Listens for other starts under the same name."""

    def __init__(self, boot: str, presence: str, pong: str, name: str) -> None:
        self._boot = boot
        self._presence = presence
        self._pong = pong
        self._name = name
        self._shown: Presence | None = None
        self._another_online = False
        self._echoed = False

    async def until_sure(
        self, link: Link, ping: Outgoing, wait: float, *, patient: bool
    ) -> Presence | None:
        clock = asyncio.get_running_loop().time
        until = clock() + wait
        while clock() < until:
            link.send(ping)
            self._echoed = False
            try:
                async with asyncio.timeout(_PING_EVERY):
                    while patient or self._another_online or not self._echoed:
                        for arrived in await link.receive():
                            self._hear(arrived)
                    return self._shown
            except TimeoutError:
                continue
        return self._shown

    def _hear(self, arrived: Incoming) -> None:
        if arrived.topic == self._presence:
            self._shown = shown = _read(arrived.payload, Presence)
            self._another_online = (
                shown is not None and shown.status == "online" and shown.boot != self._boot
            )
        elif arrived.topic == self._pong:
            reply = _read(arrived.payload, Pong)
            if reply is not None and reply.boot != self._boot:
                raise RoleTakenError(
                    f"{self._name} is already running elsewhere (boot {reply.boot}); stop it first"
                )
        else:
            self._echoed = True


def _read(payload: bytes, shape: type[ModelT]) -> ModelT | None:
    """The data of a message; None if it does not fit the model."""
    try:
        data = validate(shape, Reading(payload).envelope().data)
    except Problem:
        return None
    assert isinstance(data, shape)
    return data
