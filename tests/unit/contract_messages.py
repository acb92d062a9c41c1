"""Messages of any contract model, drawn from its JSON schema.

What holds between the fields of a model no schema says: what was drawn is made to keep it.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from hypothesis import strategies as st

from bus.contract.values import Model, check_digit

_PLAIN = st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs"))
_GTINS = st.from_regex(r"[0-9]{13}", fullmatch=True).map(lambda d: d + str(check_digit(d)))


Document = dict[str, Any]


def _distinct(name: str, key: str | None = None) -> Callable[[Document], None]:
    """A list of which no two are the same, or the same in a field."""

    def mend(drawn: Document) -> None:
        items = drawn.get(name)
        if isinstance(items, list):
            drawn[name] = list(
                {each if key is None else each[key]: each for each in items}.values()
            )

    return mend


def _level(drawn: Document) -> None:
    drawn["reserved"] = min(drawn["reserved"], drawn["on_hand"])
    if "available" in drawn:
        drawn["available"] = drawn["on_hand"] - drawn["reserved"]


def _found(drawn: Document) -> None:
    styles = drawn["product"]["styles"]
    drawn["scanned"] = styles[0]["sku"] if styles and drawn["scanned"] else None
    drawn["retired"] = None


def _retired(drawn: Document) -> None:
    for style in drawn["styles"]:
        style["product"] = drawn["product"]


def _registered(drawn: Document) -> None:
    skus = dict.fromkeys(style["sku"] for style in drawn["styles"])
    drawn["retired"] = list(skus)[: len(drawn["retired"])]


def _total(drawn: Document) -> None:
    lines = drawn["lines"]
    for line in lines:
        line["price"] = {"amount": 1 + line["price"]["amount"] % 1000, "currency": "EUR"}
    if lines:
        amount = sum(line["quantity"] * line["price"]["amount"] for line in lines)
        drawn["total"] = {"amount": amount, "currency": "EUR"}


def _receipt(drawn: Document) -> None:
    if not drawn["lines"]:
        price = {"amount": 1, "currency": "EUR"}
        drawn["lines"] = [{"sku": "MUG", "quantity": 1, "price": price}]
    _total(drawn)


def _view(drawn: Document) -> None:
    _total(drawn)
    drawn["payment"] = drawn["payment"] or {"method": "card", "reference": "r"}
    drawn["parcel"] = drawn["parcel"] or "p-1"
    drawn["missing"] = [{"sku": each["sku"], "quantity": 1} for each in drawn["lines"]]
    drawn["refunded"] = min(drawn.get("refunded", 0), drawn["total"]["amount"])
    for each in drawn["history"][-1:]:
        each["state"] = drawn["state"]


def _points(drawn: Document) -> None:
    drawn["default"] = drawn["points"][0]["id"]


def _job(drawn: Document) -> None:
    drawn["sorter"] = None if drawn["state"] == "waiting" else "sorter-1"
    drawn["assignment"] = max(1, drawn["assignment"])


def _count(drawn: Document) -> None:
    drawn["change"] = drawn["counted"] - drawn["booked"]
    if drawn.get("level"):
        drawn["level"]["sku"] = drawn["sku"]


def _step(drawn: Document) -> None:
    drawn["picks"] = max(drawn.get("picks", 0), drawn.get("pick", 0))


RELATIONS: dict[str, tuple[Callable[[Document], None], ...]] = {
    "Product": (_distinct("styles", "sku"),),
    "Found": (_found,),
    "SearchResult": (_distinct("products", "id"),),
    "Purchase": (_distinct("lines", "sku"),),
    "Reserve": (_distinct("lines", "sku"),),
    "Reserved": (_distinct("lines", "sku"),),
    "Release": (_distinct("lines", "sku"),),
    "Fulfil": (_distinct("lines", "sku"),),
    "Failed": (_distinct("lines", "sku"),),
    "StockLevel": (_level,),
    "StockChanged": (_distinct("levels", "sku"),),
    "RetiredStyle": (_level,),
    "RetiredSince": (_level,),
    "Registered": (_registered,),
    "RegisteredList": (_distinct("products", "id"),),
    "RetireReply": (_distinct("styles", "sku"), _retired),
    "RetiredList": (_distinct("styles", "sku"),),
    "PaymentMethods": (_distinct("methods"),),
    "Receipt": (_distinct("lines", "sku"), _receipt),
    "OrderView": (_distinct("lines", "sku"), _view),
    "OrderList": (_distinct("orders", "order"),),
    "Resolved": (_distinct("refunds"),),
    "PickupPoints": (_distinct("points", "id"), _points),
    "Located": (_distinct("bins", "location"),),
    "Returns": (_distinct("returns", "parcel"),),
    "JobStatus": (_job,),
    "StockCount": (_count,),
    "Counted": (_count,),
    "PastCount": (_count,),
    "JobState": (_step,),
    "Remind": (_distinct("missing", "sku"),),
    "DeliveredReply": (_distinct("before", "item"),),
}
"""By the name of a model, what makes a document keep what holds between its fields."""


def _related(drawn: Document, model: str) -> Document:
    for mend in RELATIONS.get(model, ()):
        mend(drawn)
    return drawn


@cache
def messages(model: type[Model]) -> st.SearchStrategy[dict[str, Any]]:
    """JSON documents that the model's schema allows."""
    schema = model.model_json_schema()
    return _value(schema, schema.get("$defs", {}))


def _value(schema: dict[str, Any], definitions: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "$ref" in schema:
        return _value(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return st.one_of([_value(each, definitions) for each in schema[several]])
    return _of_type(schema, definitions)


def _of_type(schema: dict[str, Any], definitions: dict[str, Any]) -> st.SearchStrategy[Any]:
    match schema["type"]:
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(schema.get("minimum"), schema.get("maximum"))
        case "string":
            return _text(schema)
        case "array":
            return st.lists(
                _value(schema["items"], definitions), min_size=schema.get("minItems", 0), max_size=3
            )
        case "object":
            return _object(schema, definitions)
    raise AssertionError(f"no message has a {schema['type']}")


def _text(schema: dict[str, Any]) -> st.SearchStrategy[str]:
    pattern = schema.get("pattern")
    if pattern == r"^\d{14}$":
        return _GTINS
    if pattern is None:
        least, most = schema.get("minLength", 0), min(schema.get("maxLength", 20), 20)
        plain = st.text(_PLAIN, min_size=least, max_size=most)
        return plain.filter(lambda text: bool(text.strip())) if least else plain  # not blank
    most = schema.get("maxLength")
    drawn = st.from_regex(re.compile(pattern.strip("^$"), re.ASCII), fullmatch=True)
    return drawn if most is None else drawn.map(lambda text: text[:most])


def _object(schema: dict[str, Any], definitions: dict[str, Any]) -> st.SearchStrategy[Any]:
    if "properties" not in schema and "additionalProperties" in schema:
        names = _text(schema.get("propertyNames", {}))
        values = _value(schema["additionalProperties"], definitions)
        return st.dictionaries(names, values, max_size=3)
    fields = {
        name: _value(each, definitions) for name, each in schema.get("properties", {}).items()
    }
    required = set(schema.get("required", ()))
    return st.fixed_dictionaries(
        {name: each for name, each in fields.items() if name in required},
        optional={name: each for name, each in fields.items() if name not in required},
    ).map(lambda drawn: _related(drawn, schema.get("title", "")))
