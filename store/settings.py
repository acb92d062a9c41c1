"""All settings of the command: defaults, then `storebus.toml`, then STOREBUS_* variables."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from broker.settings import BrokerSettings
from bus.contract.errors import ConfigurationError
from bus.contract.values import Name
from bus.runtime.settings import RuntimeSettings
from bus.storage.damage import reading
from bus.storage.private import write_text
from devices.terminal.kiosk.settings import KioskSettings
from devices.terminal.web.settings import WebSettings
from nodes.settlement.settings import SettlementSettings
from nodes.warehouse.settings import WarehouseSettings
from store.shop import SAMPLE

FILE = "storebus.toml"
_SHOP = "shop-folder"


class Settings(BaseSettings):
    """The settings of a store; a command's options take precedence."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="STOREBUS_",
        env_nested_delimiter="__",
        toml_file=FILE,
    )

    site: Name = "main"
    """The site: a level of every topic, so that several stores can share a broker."""
    data: Path = Path("storebus-data")
    """The folder of the databases, logs and generated files."""
    shop: Path = SAMPLE
    """A folder with a `shop.toml`, or that file; by default, the one that the store last used."""
    acquirer: str = "simulated"
    """`simulated` starts a simulated acquirer, `none` accepts no cards, anything else is its
    URL."""
    speed: Annotated[float, Field(gt=0)] = 1.0
    """How many times faster than real the simulated conveyors are; with `inf` they take no time."""
    purchase_patience: Annotated[float, Field(gt=0, le=3600)] = 60.0
    """Seconds until an unanswered purchase counts as unknown; the terminal goes on asking for its
    outcome until it is told."""
    broker: BrokerSettings = BrokerSettings()
    """The broker; see `broker.engine`, `broker.port`, `broker.url`."""
    web: WebSettings = WebSettings()
    """The phone page."""
    settlement: SettlementSettings = SettlementSettings()
    """Settlement: how long it waits for a customer."""
    kiosk: KioskSettings = KioskSettings()
    """How a kiosk treats its customers."""
    warehouse: WarehouseSettings = WarehouseSettings()
    """The warehouse: how long it waits for its sorters."""
    runtime: RuntimeSettings = RuntimeSettings()
    """Limits and times of every node."""

    @property
    def shop_folder(self) -> Path:
        """Where the shop's files are."""
        return self.shop if self.shop.is_dir() else self.shop.parent

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - not a source of ours
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - not a source of ours
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Options, then variables, then the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def read_settings(**options: object) -> Settings:
    """Return the settings with a command's options; an option that is None was not given.

    Raises:
        ConfigurationError: a value is invalid; the message names it and says why.
    """
    given = {name: value for name, value in options.items() if value is not None}
    broker, kiosk = (
        {name.removeprefix(part): given.pop(name) for name in list(given) if name.startswith(part)}
        for part in ("broker_", "kiosk_")
    )
    try:
        settings = Settings(**given)  # type: ignore[arg-type]
        if broker:
            merged = settings.broker.model_dump(exclude_unset=True) | broker
            settings = settings.model_copy(update={"broker": BrokerSettings(**merged)})
        if kiosk:
            merged = settings.kiosk.model_dump(exclude_unset=True) | kiosk
            settings = settings.model_copy(update={"kiosk": KioskSettings(**merged)})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        raise ConfigurationError(f"setting {name}: {first['msg']}") from error
    except SettingsError as error:
        variable = str(error).partition('"')[2].partition('"')[0]
        raise ConfigurationError(
            f"STOREBUS_{variable.upper()} or one of its parts is not JSON: write a list as [1, 2]."
        ) from error
    except ValueError as error:  # the file is not TOML
        raise ConfigurationError(f"{FILE}: {error}") from error
    if "shop" not in settings.model_fields_set:
        settings = settings.model_copy(update={"shop": _last_shop(settings.data)})
    return settings


def remember_shop(settings: Settings) -> None:
    """Write into the data folder which shop the store was opened with."""
    if settings.shop == SAMPLE:  # its path depends on the installation
        (settings.data / _SHOP).unlink(missing_ok=True)
    else:
        write_text(settings.data / _SHOP, f"{settings.shop.absolute()}\n")


def _last_shop(data: Path) -> Path:
    file = data / _SHOP
    if not file.exists():
        return SAMPLE
    with reading(file, "Name the shop with --shop"):
        return Path(file.read_text("utf-8").strip())
