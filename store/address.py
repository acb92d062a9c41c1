"""The broker's address: `storebus up` writes it to the data folder, the other commands read it."""

from pathlib import Path

from broker.external import with_protocol
from bus.contract.errors import BrokerError
from bus.storage.damage import reading
from bus.storage.private import write_text
from store.settings import Settings

_FILE = "broker-url"
_FILE_V311 = "broker-url-3.1.1"


def write_address(data: Path, url: str, url_v311: str) -> None:
    """Write the broker's URLs into the data folder for the other commands."""
    write_text(data / _FILE, url + "\n")
    write_text(data / _FILE_V311, url_v311 + "\n")


def _read(file: Path) -> str:
    with reading(file, "Start the store again, or give --broker"):
        return file.read_text(encoding="utf-8").strip()


def broker_url(given: str | None, settings: Settings) -> str:
    """Return the given URL, or that of the store last started on the data folder, or the setting.

    Raises:
        BrokerError: none of them gives the broker's address. It is not guessed, since the default
            port may belong to another program's broker.
    """
    known = known_broker_url(given, settings)
    if known is not None:
        return known
    raise BrokerError(
        f"No store was started here: {settings.data / _FILE} is missing. Change to the folder in "
        "which `storebus up` or `make run` was started, or give its data folder with --data DIR,"
        " or the broker with --broker URL."
    )


def known_broker_url(given: str | None, settings: Settings) -> str | None:
    """Like `broker_url`, but None if nothing gives the address."""
    if given is not None:
        return given
    if settings.broker.url is not None:
        return settings.broker.url
    file = settings.data / _FILE
    if file.exists():
        return _read(file)
    if settings.broker.model_fields_set & {"host", "port"}:
        return f"mqtt://{settings.broker.host}:{settings.broker.port}"
    return None


def is_here(given: str | None, settings: Settings) -> bool:
    """Whether the broker is that of the store last started on the data folder."""
    return given is None and settings.broker.url is None and (settings.data / _FILE).exists()


def broker_url_v311(given: str | None, settings: Settings) -> str:
    """Like `broker_url`, for MQTT 3.1.1: the embedded broker has a separate port for it."""
    file = settings.data / _FILE_V311
    if given is None and settings.broker.url is None and file.exists():
        return _read(file)
    return with_protocol(broker_url(given, settings), "3.1.1")
