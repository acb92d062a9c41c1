"""The times of a store's conveyors, read from a `layout.toml`.

It knows only aisles, pickup points and times; no orders and no stock.
"""

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bus.contract.errors import ConfigurationError
from bus.contract.values import Location, PointId

Milliseconds = Annotated[int, Field(ge=0, le=3_600_000)]


class Layout(BaseModel):
    """The times of a store's conveyors, in milliseconds."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    pick_ms: Milliseconds = 2000
    """To take the pieces of one line from their location."""
    pack_ms: Milliseconds = 6000
    """To pack a parcel."""
    default_travel_ms: Milliseconds = 10_000
    """Between an aisle and a pickup point that are not in `travel`."""
    travel: dict[str, dict[PointId, Milliseconds]] = Field(default_factory=dict)
    """From each aisle to each pickup point."""
    finds: dict[Location, Annotated[int, Field(ge=0)]] = Field(default_factory=dict)
    """The most pieces that a pick finds at a location, to try out short picks; elsewhere it finds
    all of them."""

    def travel_ms(self, location: str, pickup_point: str) -> int:
        """Milliseconds from the aisle of a location such as `A-03-2` to a pickup point."""
        aisle = location.partition("-")[0]
        return self.travel.get(aisle, {}).get(pickup_point, self.default_travel_ms)


def read_layout(path: Path) -> Layout:
    """Read a layout file.

    Raises:
        ConfigurationError: there is no such file, it is not TOML, or a value is impossible.
    """
    try:
        return Layout.model_validate(tomllib.loads(path.read_text("utf-8")))
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ConfigurationError(f"{path}: {place}: {first['msg']}.") from error
    except ValueError as error:  # not UTF-8, or not TOML
        raise ConfigurationError(f"{path} is not a TOML file: {error}.") from error
