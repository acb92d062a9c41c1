"""The simulated acquirer's HTTP side, and the misbehaviour of its test cards.

`card_processor` decides what is captured; here a reply is only sent, held back or lost.
"""

import asyncio
import socket
import sys
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

import uvicorn
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol

from acquirer.card_processor import CaptureBody, CardProcessor, HttpReply, RefundBody, card, reused
from nodes.settlement.acquirer.keys import is_key

Body = TypeVar("Body", CaptureBody, RefundBody)


class Service:
    """The resources of the provider.

    Args:
        processor: decides every request.
        hold: seconds for which `tok_timeout` holds its first reply back.
    """

    def __init__(self, processor: CardProcessor, hold: float) -> None:
        self._processor = processor
        self._hold = hold
        self._stumbled: set[str] = set()
        self._held: set[asyncio.Transport] = set()
        self.routes = [
            Route("/captures", self._capture, methods=["POST"]),
            Route("/captures/{key}", self._outcome, methods=["GET"]),
            Route("/captures/{key}/void", self._void, methods=["POST"]),
            Route("/refunds", self._refund, methods=["POST"]),
            Route("/log", self._log, methods=["GET"]),
            Route("/health", self._health, methods=["GET"]),
        ]

    def let_go(self) -> None:
        """Close every connection whose reply is held back."""
        for transport in self._held:
            transport.close()

    async def _capture(self, request: Request) -> Response:
        key = request.headers.get("idempotency-key", "")
        body = _parse(CaptureBody, key, await request.body())
        first = not self._processor.knows(key)
        if isinstance(body, HttpReply):
            # 422 must prove that nothing was captured: so never for a key that has a past.
            return _respond(body if first else reused(key))
        kind = card(body.token)
        if kind == "unauthorized" and self._is_first_try(key):
            return _respond(_UNAUTHORIZED)
        if first and kind in {"error", "lost"} and key not in self._stumbled:
            self._stumbled.add(key)
            if kind == "lost":
                return await self._hang_up(request, 0)
            return _respond(HttpReply(500, {"key": key, "state": "error"}))
        answer = self._processor.capture(key, body)
        if first and kind == "timeout":
            return await self._hang_up(request, self._hold)
        return _respond(answer)

    async def _outcome(self, request: Request) -> Response:
        return _respond(self._processor.outcome(request.path_params["key"]))

    async def _void(self, request: Request) -> Response:
        key: str = request.path_params["key"]
        return _respond(self._processor.void(key) if is_key(key) else _invalid(key, "key"))

    async def _refund(self, request: Request) -> Response:
        key = request.headers.get("idempotency-key", "")
        body = _parse(RefundBody, key, await request.body())
        if isinstance(body, HttpReply):
            return _respond(body)
        if card(self._processor.token(body.capture)) == "unauthorized" and self._is_first_try(key):
            return _respond(_UNAUTHORIZED)
        return _respond(self._processor.refund(key, body))

    def _is_first_try(self, key: str) -> bool:
        """Whether a key comes for the first time since this process started."""
        first = key not in self._stumbled
        self._stumbled.add(key)
        return first

    async def _log(self, _: Request) -> Response:
        return JSONResponse([entry.model_dump() for entry in self._processor.entries])

    async def _health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok", "entries": len(self._processor.entries)})

    async def _hang_up(self, request: Request, seconds: float) -> Response:
        """Close the connection without a reply after `seconds`, or when the client has given up."""
        transport: asyncio.Transport = request.state.transport
        self._held.add(transport)
        try:
            async with asyncio.timeout(seconds):
                await request.receive()
        except TimeoutError:
            transport.close()
            await request.receive()
        finally:
            self._held.discard(transport)
        return Response()  # goes nowhere: the connection is closed


_UNAUTHORIZED = HttpReply(401, {"error": "unauthorized", "message": "the API key is not valid"})
"""As a gateway would reply, which knows no idempotency keys."""


def _parse(model: type[Body], key: str, content: bytes) -> Body | HttpReply:
    if not is_key(key):
        return _invalid(key, "key")
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        # Names only: a value may be a secret.
        names = sorted({str(one["loc"][0]) for one in error.errors() if one["loc"]})
        return _invalid(key, ", ".join(names) or "body")


def _invalid(key: str, what: str) -> HttpReply:
    return HttpReply(422, {"key": key, "state": "invalid", "reason": f"invalid {what}"})


def _respond(answer: HttpReply) -> Response:
    return JSONResponse(answer.body, answer.status)


class _Protocol(H11Protocol):
    """Gives each request its connection, so that a test card can close it; delays no reply."""

    def connection_made(  # type: ignore[override] # as narrow as uvicorn's own
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(transport)
        self.app_state = {"transport": transport}
        # Head and body are two writes: without this the second waits 40 ms for a delayed ACK.
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class Server(uvicorn.Server):
    """Serves until `should_exit` is set, by a signal or by the caller.

    Args:
        service: what is served.
        on_ready: called once, when connections are accepted.
    """

    def __init__(self, service: Service, on_ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                Starlette(routes=service.routes),
                http=_Protocol,
                ws="none",
                lifespan="off",
                log_level="error",
                access_log=False,
                # Longer than clients keep one: else a request meets a connection being closed.
                timeout_keep_alive=75,
                timeout_graceful_shutdown=1,
            )
        )
        self._service = service
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections, then call `on_ready`."""
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop, without waiting for replies that are held back on purpose."""
        self._service.let_go()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Stop, and do not raise the signal again afterwards: being stopped is no failure."""
        self.should_exit = True


def serve(
    processor: CardProcessor, listener: socket.socket, hold: float, watch: Callable[[Server], None]
) -> None:
    """Serve on `listener` until a signal, or until what `watch` starts stops the server."""
    host, port = listener.getsockname()[:2]

    def ready() -> None:
        sys.stdout.write(f"acquirer listening on http://{host}:{port}\n")
        sys.stdout.flush()

    server = Server(Service(processor, hold), ready)
    watch(server)
    asyncio.run(server.serve(sockets=[listener]))
