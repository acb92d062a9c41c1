"""Deliveries: what was brought in with which, so that nothing counts twice."""

from typing import Annotated

from pydantic import Field

from bus.contract.values import NOT_BLANK, Count, Model, Reference, Text, Time, distinct

DeliveryName = Annotated[
    Text, Field(min_length=1, max_length=100, pattern=NOT_BLANK, description="A name, not blank.")
]
DeliveredItem = Annotated[
    Text,
    Field(description="What was brought: `OXF-BLU-M A-03-2`, a SKU and a location; an account."),
]
Content = Annotated[
    Reference,
    Field(description="A hash of the file, which tells two deliveries of one name apart."),
]


class Delivery(Model):
    """The delivery that something came with; the same again has no second effect."""

    name: DeliveryName
    """Such as the name of a file, or of a delivery note."""
    content: Content | None = None
    """None if the name alone tells the delivery."""


class Delivered(Delivery):
    """Which of these have come with a delivery of this name?"""

    items: Annotated[list[DeliveredItem], Field(min_length=1, max_length=100)]
    """Those that are asked about."""


class DeliveredBefore(Model):
    """Something that a delivery has brought."""

    item: DeliveredItem
    amount: Count
    """Pieces, or minor units of money."""
    content: Content | None
    """Of that delivery."""
    at: Time


class DeliveredReply(Model):
    """What has come already."""

    before: Annotated[list[DeliveredBefore], Field(max_length=100), distinct("item")]
    """At most one for each item: with the same content, else the newest."""
