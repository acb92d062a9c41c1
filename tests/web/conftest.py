"""One store with its page for each module of tests."""

from collections.abc import Iterator

import pytest
from shop import Phone, Shop, open_shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """An open shop."""
    with open_shop(tmp_path_factory.mktemp("shop")) as opened:
        yield opened


@pytest.fixture
def phone(shop: Shop) -> Iterator[Phone]:
    """A new customer's browser."""
    phone = shop.phone()
    with phone.http:
        yield phone
