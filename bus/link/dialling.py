"""From a host's name to a transport that is connected to it."""

import asyncio
import os
import socket
import ssl


async def connect(
    protocol: asyncio.Protocol, host: str, port: int, tls: ssl.SSLContext | None, patience: float
) -> None:
    """Connect a protocol to a host, within so many seconds.

    Raises:
        OSError: there is none, or it is not who it says it is; the words are for people.
    """
    try:
        async with asyncio.timeout(patience):
            await _connect(protocol, host, port, tls)
    except TimeoutError as error:
        raise TimeoutError("timed out") from error


async def _connect(
    protocol: asyncio.Protocol, host: str, port: int, tls: ssl.SSLContext | None
) -> None:
    loop, dialled = asyncio.get_running_loop(), await _dial(host, port)
    try:
        await loop.create_connection(
            lambda: protocol, sock=dialled, ssl=tls, server_hostname=host if tls else None
        )
    except BaseException:
        dialled.close()
        raise


async def _dial(host: str, port: int) -> socket.socket:
    """A socket that is connected to the first address that takes it.

    Raises:
        OSError: none does; the words are the operating system's.
    """
    loop, failure = asyncio.get_running_loop(), OSError("no address")
    for family, kind, proto, _, address in await loop.getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    ):
        connected = socket.socket(family, kind, proto)
        try:
            connected.setblocking(False)
            # Without it an acknowledgement waits 40 ms for another (Nagle against delayed ACK).
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(connected, address)
        except OSError as error:
            connected.close()
            failure = OSError(error.errno, os.strerror(error.errno)) if error.errno else error
        except BaseException:
            connected.close()
            raise
        else:
            return connected
    raise failure
