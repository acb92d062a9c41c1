"""Starts the simulated acquirer as a process of its own: `python -m acquirer`."""

import argparse
import contextlib
import os
import socket
import threading
from pathlib import Path

from acquirer.card_processor import CardProcessor
from acquirer.log import Log
from acquirer.server import Server, serve
from bus.contract.errors import JournalError

STDIN = 0


def main() -> None:
    """Serve until SIGTERM, or with `--exit-with-parent` until the parent has ended."""
    parser = argparse.ArgumentParser(prog="acquirer", description="A simulated card acquirer.")
    parser.add_argument("--host", default="127.0.0.1", help="IPv4 address or name to listen on")
    parser.add_argument("--port", type=int, required=True, help="0 picks a free one")
    parser.add_argument("--log", type=Path, required=True, help="the file of all that happened")
    parser.add_argument(
        "--hold", type=float, default=30.0, help="seconds that tok_timeout holds an answer back"
    )
    parser.add_argument("--exit-with-parent", action="store_true", help="exit when stdin closes")
    options = parser.parse_args()
    try:
        # First the log: with it, whoever served here before has gone and left the port.
        log = Log(options.log)
        with contextlib.closing(log), _listen(options.host, options.port) as listener:
            watch = _watch_stdin if options.exit_with_parent else _watch_nothing
            serve(CardProcessor(log), listener, options.hold, watch)
    except (OSError, OverflowError, JournalError) as error:
        raise SystemExit(f"acquirer: {error}") from error


def _listen(host: str, port: int) -> socket.socket:
    return socket.create_server((host, port))


def _watch_nothing(_: Server) -> None:
    pass


def _watch_stdin(server: Server) -> None:
    """Stop `server` once stdin is at its end: the parent closed it, or was killed."""

    def watch() -> None:
        with contextlib.suppress(OSError):
            while os.read(STDIN, 4096):
                pass
        server.should_exit = True

    threading.Thread(target=watch, name="stdin", daemon=True).start()


if __name__ == "__main__":
    main()
