"""The settings of the phone page: its address, and limits for clients."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from bus.contract.values import Name


class WebSettings(BaseModel):
    """The phone page."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    node: Name = "web-1"
    """Its name on the bus; each further page server has another one."""
    host: str = "127.0.0.1"
    """The address it listens on."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """Its port; 0 picks one."""
    public_url: str = ""
    """Where customers reach it, such as https://shop.example; empty takes it from each request."""
    trusted_proxies: str = ""
    """Addresses or networks of proxies, with commas, whose X-Forwarded-For and -Proto are
    believed: without it, all who come through a proxy count as one client."""
    patience: Annotated[float, Field(gt=0, le=60)] = 5.0
    """Seconds that a page waits for the store."""
    keep: Annotated[float, Field(ge=60)] = 30 * 86_400.0
    """Seconds after which a browser that did nothing is forgotten: its cart, its cookie, and which
    orders are its own. The orders themselves, and their pickup codes, are settlement's."""
    rate: Annotated[float, Field(gt=0)] = 20.0
    """Requests a second that one client may go on making."""
    burst: Annotated[int, Field(ge=1)] = 100
    """Requests that one client may make at once."""
    streams: Annotated[int, Field(ge=1)] = 1000
    """Open pages that are kept up to date at the same time."""
    streams_per_client: Annotated[int, Field(ge=1)] = 20
    """The same for one client."""
    heartbeat: Annotated[float, Field(ge=0.1, le=300)] = 15.0
    """Seconds after which an open page hears at the latest that it is still connected; one that
    hears nothing for three times as long connects anew."""
    connections_per_client: Annotated[int, Field(ge=1)] = 200
    """Connections that one address may hold open; trusted proxies may hold any number."""
    head_time: Annotated[float, Field(gt=0)] = 10.0
    """Seconds in which the head of a request is to be there."""
    body_time: Annotated[float, Field(gt=0)] = 20.0
    """Seconds in which the body of a form is to be there."""
