"""Where the store's broker is: `storebus up` writes it down, the other commands read it."""

from cli.settings import Settings
from cli.store import RunningStore

_FILE = "broker-url"


def write_address(store: RunningStore) -> None:
    """Leave the broker's URL in the data folder for the other commands."""
    (store.settings.data / _FILE).write_text(store.broker.url + "\n")


def broker_url(given: str | None, settings: Settings) -> str:
    """The URL that was given, or of the store last started on the data folder, or the default."""
    if given is not None:
        return given
    if settings.broker.url is not None:
        return settings.broker.url
    file = settings.data / _FILE
    if file.exists():
        return file.read_text().strip()
    return f"mqtt://{settings.broker.host}:{settings.broker.port}"
