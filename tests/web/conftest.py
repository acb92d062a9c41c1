"""One store with its page for each module of tests."""

from collections.abc import Iterator

import pytest
from shop import Phone, Shop, open_shop


@pytest.fixture(scope="module")
def _opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_shop(tmp_path_factory.mktemp("shop")) as opened:
        yield opened


@pytest.fixture
def shop(_opened: Shop) -> Iterator[Shop]:
    """An open shop; a scenario that fails half-way leaves no sorter waiting for the next one."""
    yield _opened
    _opened.sorter_goes_on()


@pytest.fixture
def phone(shop: Shop) -> Iterator[Phone]:
    """A new customer's browser."""
    phone = shop.phone()
    with phone.http:
        yield phone
