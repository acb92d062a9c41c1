"""The address of a broker that somebody else runs; nothing is started or contacted here."""

from urllib.parse import parse_qsl, urlencode, urlsplit

from bus.contract.errors import BrokerError

SCHEMES = ("mqtt", "mqtts")
EXAMPLE = "such as mqtt://broker.example:1883"


def require_address(url: str | None) -> str:
    """Check that a URL names a broker, and return it.

    Raises:
        BrokerError: it does not. The message never repeats the URL, which may hold a password.
    """
    if not url:
        raise BrokerError(f"An external broker needs its address: give --url, {EXAMPLE}.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise BrokerError(f"The external broker's URL is not one; give it {EXAMPLE}.") from error
    if parts.scheme not in SCHEMES:
        raise BrokerError(
            "The external broker's URL must begin with mqtt:// or mqtts:// (TLS); "
            f"give it {EXAMPLE}."
        )
    if not host or port == 0:
        raise BrokerError(f"The external broker's URL names no host and port; give it {EXAMPLE}.")
    return url


def with_protocol(url: str, protocol: str) -> str:
    """The same address, with the given version of MQTT."""
    parts = urlsplit(url)
    query = {**dict(parse_qsl(parts.query)), "protocol": protocol}
    return parts._replace(query=urlencode(query)).geturl()
