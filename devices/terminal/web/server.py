"""Runs a page server: a terminal on the bus, and its HTTP server."""

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import uvicorn

from bus.contract.channel import role_of
from bus.contract.errors import ConfigurationError, first_error
from bus.runtime.deployment import Deployment
from devices.terminal.web.app import application
from devices.terminal.web.customers import Customers
from devices.terminal.web.http import ConnectionLimits, protocol_with
from devices.terminal.web.notifier import ChangeNotifier
from devices.terminal.web.settings import WebSettings
from devices.terminal.web.site import Site


@dataclass(frozen=True, slots=True)
class RunningPage:
    """A page server that is running."""

    url: str
    customers: Customers
    site: Site


@asynccontextmanager
async def running_page(
    deployment: Deployment,
    settings: WebSettings,
    shop: str,
    domain: str,
    *,
    patience: float = 60.0,
    any_port: bool = False,
) -> AsyncIterator[RunningPage]:
    """Serve the page inside the context.

    Args:
        deployment: where the terminal runs.
        settings: of the page.
        shop: the shop's name.
        domain: the domain in the URLs of its labels.
        patience: seconds until a purchase that was not answered counts as unknown.
        any_port: take a free port if the configured one is in use.

    Raises:
        ConfigurationError: it cannot listen there, or its name is not a terminal's.
        BrokerError: there is no broker.
        RoleTakenError: a page server with this name runs elsewhere.
    """
    if role_of(settings.node) != "terminal":
        raise ConfigurationError(f"{settings.node} is no name of a page server, such as web-1.")
    customers = Customers(settings.node, deployment, ChangeNotifier(), settings.keep, patience)
    try:
        with _listener(settings, any_port=any_port) as listener:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(customers.run(), name=settings.node)
                await customers.node.ready.wait()
                site = Site(customers, shop, domain, settings)
                server = _Server(site)
                tidying = tasks.create_task(customers.keep_tidy(), name="tidy")
                serving = tasks.create_task(server.serve([listener]), name="page")
                try:
                    yield RunningPage(_url(listener), customers, site)
                finally:
                    server.should_exit = True
                    site.close()
                    await asyncio.wait({serving})
                    tidying.cancel()
                    customers.node.stop()
    except ExceptionGroup as group:
        raise first_error(group) from None


class _Server(uvicorn.Server):
    """Serves until it is stopped; signals are left to the command."""

    def __init__(self, site: Site) -> None:
        proxies = site.settings.trusted_proxies
        super().__init__(
            uvicorn.Config(
                application(site),
                http=protocol_with(
                    ConnectionLimits(
                        site.settings.head_time,
                        site.settings.body_time,
                        site.settings.connections_per_client,
                        proxies,
                    )
                ),
                ws="none",
                lifespan="off",
                log_level="error",
                access_log=False,
                server_header=False,
                proxy_headers=bool(proxies),
                forwarded_allow_ips=proxies or None,
                backlog=512,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=2,
                h11_max_incomplete_event_size=32 * 1024,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the command."""
        yield


def _listener(settings: WebSettings, *, any_port: bool) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        try:
            listener = socket.create_server((settings.host, settings.port), family=family)
        except OSError as error:
            if not (any_port and error.errno == errno.EADDRINUSE):
                raise
            listener = socket.create_server((settings.host, 0), family=family)
    except (OSError, OverflowError) as error:
        number = getattr(error, "errno", None)
        reason = os.strerror(number) if number and number > 0 else error
        raise ConfigurationError(
            f"The phone page cannot listen on {settings.host}, port {settings.port}: {reason}."
            " Choose another one with --web-port."
        ) from error
    # Head and body may be two writes: without this the second waits for a delayed ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
