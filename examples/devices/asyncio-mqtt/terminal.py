"""A terminal on asyncio-mqtt 0.16.2: scans codes, buys one of each, reminds the customer once."""

import asyncio
import json
import random
import signal
import socket
import sys

from asyncio_mqtt import Client, MqttError, Will
from till import Till, is_final, new_id

HOST, PORT, NAME, *CODES = sys.argv[1:]
ROOT = "storebus/1/main"
NO_DELAY = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
till = Till(NAME)
waiting = {}  # the future of each reply, by its topic and the request's id


def presence(status):
    """The arguments of a publish, or of a last will."""
    return f"{ROOT}/state/{NAME}/presence", json.dumps(till.presence(status)), 1, True


async def ask(client, operation, request, qos):
    """Send a request, and again with the same id until it is answered."""
    reply, pause = asyncio.get_running_loop().create_future(), 1.0
    waiting[f"{ROOT}/rep/{NAME}/{operation}", request["id"]] = reply
    while not reply.done():
        await client.publish(f"{ROOT}/req/{NAME}/{operation}", json.dumps(request), qos)
        await asyncio.wait([reply], timeout=pause * random.uniform(0.75, 1.25))
        pause = min(pause * 2, 30.0)
    return reply.result()


async def serve(client):
    """Finish the purchases that a restart left open, then serve the next customer."""
    while till.open or CODES:
        for identifier, request in list(till.open.items()):
            till.bought(identifier, await ask(client, "settlement/purchase", request, 1))
        if CODES:
            scan = {"id": new_id(), "data": {"code": CODES[0]}}
            till.scanned(await ask(client, "catalog/lookup", scan, 0))
            CODES.pop(0)


async def hear(client, topic, message):
    """Take a message; who speaks is said by its topic alone."""
    if not isinstance(message["id"], str):
        raise TypeError("an id is a text")
    kind, caller, _, operation = topic[len(ROOT) + 1 :].split("/")
    if kind == "rep":
        reply = waiting.get((topic, message["correlationid"]))
        if reply and not reply.done() and is_final(message["data"]):
            reply.set_result(message)
    else:
        data = till.answer(caller, operation, message)
        answer = json.dumps({"id": message["id"], "data": data})
        await client.publish(f"{ROOT}/rep/{caller}/{NAME}/{operation}", answer, 1)


async def listen(client):
    """Hear messages until the connection is lost; no message, however wrong, may end us."""
    async with client.messages() as messages:
        await client.subscribe([(f"{ROOT}/rep/{NAME}/+/+", 1), (f"{ROOT}/req/+/{NAME}/+", 1)])
        await client.publish(*presence("online"))
        serving = asyncio.ensure_future(serve(client))
        try:
            async for message in messages:
                try:
                    if not message.retain:
                        await hear(client, str(message.topic), json.loads(message.payload))
                except UNREADABLE as error:
                    print(f"ignored a message: {error!r}", file=sys.stderr)
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)


async def main():
    """Connect, again and again, until stopped."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    stopped = asyncio.ensure_future(stop.wait())
    how = {"client_id": f"main-{NAME}", "keepalive": 15, "socket_options": NO_DELAY}
    while not stop.is_set():
        try:
            async with Client(HOST, int(PORT), will=Will(*presence("lost")), **how) as client:
                listening = asyncio.ensure_future(listen(client))
                await asyncio.wait([listening, stopped], return_when=asyncio.FIRST_COMPLETED)
                if stop.is_set():
                    await client.publish(*presence("offline"))
                else:
                    listening.result()
        except MqttError:
            await asyncio.sleep(random.uniform(0.5, 2))


asyncio.run(main())
