"""Addresses to listen on: which can be used, are free, or are in use.

It must not know what will listen there.
"""

import asyncio
import errno
import socket
import time

import psutil

from bus.contract.errors import BrokerError, PortInUseError

HIGHEST_PORT = 65535
# A broker whose store was just killed needs a moment to notice; its successor waits for that.
RELEASE_SECONDS = 1.0
# How far from the wanted port another one is looked for, so that the next start finds the same.
NEAR_PORTS = 40
POLL_SECONDS = 0.02
CONNECT_SECONDS = 1.0


def numeric_address(host: str) -> str:
    """The IP address that `host` names on this computer.

    Raises:
        BrokerError: if it names none.
    """
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise BrokerError(
            f"The address to listen on, {host!r}, is not known here; "
            "give an IP address of this computer with --host."
        ) from error
    return str(found[0][4][0])


def dialled_address(address: str) -> str:
    """The address to connect to for a listener on `address`, which may be a wildcard."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104 - compared only


def authority(address: str, port: int) -> str:
    """`address` and `port` as they stand in a URL or a listen option."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def port_in_use(host: str, port: int) -> bool:
    """Whether something on this computer already listens on the port.

    Raises:
        BrokerError: if nothing may listen there at all.
    """
    address = numeric_address(host)
    try:
        _try_to_bind(address, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return True
        raise BrokerError(_why_not(address, port, error)) from error
    return False


async def require_free(address: str, ports: tuple[int, ...]) -> None:
    """Return as soon as all `ports` are free.

    Raises:
        PortInUseError: if one is still taken after a second; it names the port and the way out.
    """
    taken = await _taken(address, ports)
    if taken is not None:
        raise port_in_use_error(address, taken)


def port_in_use_error(address: str, port: int) -> PortInUseError:
    """The error for a port that is in use."""
    return PortInUseError(
        f"Port {port} on {address} is already in use, perhaps by another store or broker. "
        "Stop that one, or pick another port with --port N "
        "(storebus up --port 0, or make run PORT=0, takes a free one)."
    )


def listens(pid: int, port: int) -> bool:
    """Whether a process of ours listens on the port; True where the system does not tell."""
    try:
        connections = psutil.Process(pid).net_connections("tcp")
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
    return any(
        each.status == psutil.CONN_LISTEN and each.laddr and each.laddr.port == port
        for each in connections
    )


async def free_ports_near(address: str, first: int, count: int) -> tuple[int, ...]:
    """`count` ports in a row from `first` on, or the next ones that are free.

    Raises:
        BrokerError: if nothing may listen there.
    """
    ports = consecutive_ports(address, first, count)
    if await _taken(address, ports) is None:
        return ports
    for start in range(first + count, first + NEAR_PORTS, count):
        ports = consecutive_ports(address, start, count)
        if not any(port_in_use(address, port) for port in ports):
            return ports
    return consecutive_ports(address, 0, count)


async def _taken(address: str, ports: tuple[int, ...]) -> int | None:
    """The port that is still in use after a second, or None as soon as all are free."""
    deadline = time.monotonic() + RELEASE_SECONDS
    for port in ports:
        while port_in_use(address, port):
            if time.monotonic() > deadline:
                return port
            await asyncio.sleep(POLL_SECONDS)
    return None


def consecutive_ports(address: str, first: int, count: int) -> tuple[int, ...]:
    """`count` ports in a row from `first` on; a `first` of 0 picks free ones.

    Raises:
        BrokerError: if there are none.
    """
    if first:
        if first + count - 1 > HIGHEST_PORT:
            raise BrokerError(
                f"The embedded broker needs {count} ports in a row; "
                f"give one below {HIGHEST_PORT} with --port N."
            )
        return tuple(range(first, first + count))
    for _attempt in range(100):
        picked = _any_free_port(address)
        ports = tuple(range(picked, picked + count))
        if ports[-1] <= HIGHEST_PORT and not any(port_in_use(address, p) for p in ports):
            return ports
    raise BrokerError(f"No free port was found on {address}; name one with --port N.")


async def answers(address: str, port: int) -> bool:
    """Whether a TCP connection to the port is accepted."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _reader, writer = await asyncio.open_connection(dialled_address(address), port)
    except OSError:  # TimeoutError is one of them
        return False
    writer.close()
    return True


def _any_free_port(address: str) -> int:
    try:
        return _try_to_bind(address, 0)
    except OSError as error:
        raise BrokerError(_why_not(address, 0, error)) from error


def _try_to_bind(address: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        # Connections of a broker that is gone linger in TIME_WAIT; they do not hold the port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        return int(listener.getsockname()[1])


def _why_not(address: str, port: int, error: OSError) -> str:
    if error.errno == errno.EACCES:
        return f"Port {port} needs administrator rights; pick one above 1023 with --port N."
    if error.errno == errno.EADDRNOTAVAIL:
        return (
            f"{address} is not an address of this computer; "
            "give one that is with --host (127.0.0.1 for this computer only)."
        )
    return f"Nothing can listen on {authority(address, port)}: {error.strerror or error}."
