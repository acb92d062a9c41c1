"""A second process that claims a node's name finds the first one alive and refuses to start."""

import asyncio

from bus.contract.channel import role_of
from bus.contract.every import PING, PRESENCE, Pong, Presence
from bus.contract.topics import Topics
from bus.contract.values import Empty
from bus.envelope import Reading, Sealed, child_trace
from bus.errors import Problem, RoleTakenError
from bus.gate import validate
from bus.identity import Identity
from bus.link import Connector, Link, Outgoing, Subscription

_PING_EVERY = 0.2


async def refuse_second(
    connector: Connector, topics: Topics, name: str, identity: Identity, wait: float
) -> None:
    """Return if nobody else plays `name`.

    Asks for the retained presence; when that says `online`, the first process has `wait` seconds
    to answer a ping. Our own ping comes back after what is retained, so a free name costs no wait.

    Raises:
        RoleTakenError: another process answered.
        BrokerError: there is no broker.
    """
    ping = topics.request(name, name, PING.name)
    pong = topics.reply(name, name, PING.name)
    presence = topics.state(name, PRESENCE.name)
    message = Outgoing(
        ping,
        Sealed(
            id=identity.message(),
            source=f"/{topics.site}/{name}",
            type=f"storebus.{role_of(name)}.ping.request",
            at=identity.now(),
            data=Empty(),
            trace=child_trace(None, identity.span()),
        ).to_bytes(),
    )
    async with connector.connect(f"{topics.site}-{name}-claim-{identity.boot}") as link:
        await link.subscribe([Subscription(each) for each in (presence, pong, ping)])
        await _listen(link, message, presence, pong, name, wait)


async def _listen(
    link: Link, message: Outgoing, presence: str, pong: str, name: str, wait: float
) -> None:
    online = False
    clock = asyncio.get_running_loop().time
    until = clock() + wait
    while clock() < until:
        link.send(message)
        try:
            async with asyncio.timeout(_PING_EVERY):
                came_back = False
                while not came_back or online:
                    for arrived in await link.receive():
                        if arrived.topic == presence:
                            online = _says_online(arrived.payload)
                        elif arrived.topic == pong:
                            _refuse(arrived.payload, name)
                        else:
                            came_back = True
                return
        except TimeoutError:
            continue


def _says_online(payload: bytes) -> bool:
    try:
        state = validate(Presence, Reading(payload).envelope().data)
    except Problem:
        return False
    return isinstance(state, Presence) and state.status == "online"


def _refuse(payload: bytes, name: str) -> None:
    try:
        reply = validate(Pong, Reading(payload).envelope().data)
    except Problem:
        return
    assert isinstance(reply, Pong)
    raise RoleTakenError(f"{name} is already running elsewhere (boot {reply.boot}); stop it first")
