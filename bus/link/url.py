"""A broker's URL, as people give it."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit

from bus.contract.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class BrokerUrl:
    """Where a broker is, and how to speak to it."""

    host: str
    port: int
    tls: bool
    user: str | None
    password: str | None
    v5: bool
    properties: bool
    """Whether what is sent has MQTT 5 properties."""
    qos: int
    """The highest that is used."""

    @classmethod
    def read(cls, url: str) -> Self:
        """Read `mqtt://[user:password@]host[:port][?protocol=..][&qos=..][&properties=..]`.

        Raises:
            ConfigurationError: not such a URL.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ConfigurationError(f"not a broker URL: {error}") from error
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ConfigurationError(
                "a broker URL looks like mqtt://127.0.0.1:1883 or mqtts://host:8883"
            )
        options = parse_qs(parts.query)
        protocol = options.get("protocol", ["5"])[-1]
        qos = options.get("qos", ["1"])[-1]
        properties = options.get("properties", ["1"])[-1]
        if protocol not in ("5", "3.1.1") or not {qos, properties} <= {"0", "1"}:
            raise ConfigurationError(
                "a broker URL takes ?protocol=5 or 3.1.1, ?qos=0 or 1, and ?properties=0 or 1"
            )
        tls, v5 = parts.scheme == "mqtts", protocol == "5"
        return cls(
            host=parts.hostname,
            port=port or (8883 if tls else 1883),
            tls=tls,
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            v5=v5,
            properties=v5 and properties == "1",
            qos=int(qos),
        )

    @property
    def description(self) -> str:
        """Without secrets, for messages to people."""
        return f"{'mqtts' if self.tls else 'mqtt'}://{self.host}:{self.port}"
