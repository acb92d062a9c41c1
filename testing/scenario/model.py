"""The format of scenario files, as models."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
)

from bus.contract.catalog import Attributes
from bus.contract.timestamp import milliseconds
from bus.contract.values import Gtin14, Location, Name, Quantity, gtin14, is_name
from bus.history.filter import FilterError, parse_filter
from bus.text.duration import EXAMPLES, parse_duration
from nodes.settlement.settings import SettlementSettings
from nodes.warehouse.settings import WarehouseSettings

_LONGEST = 366 * 86_400.0


def _duration(value: Any) -> float:
    seconds = parse_duration(value if isinstance(value, str) else "")
    if not 0 < seconds <= _LONGEST:
        raise ValueError(f"is to be a time such as {EXAMPLES}")
    return seconds


def _filter(text: str) -> str:
    if "${" not in text:  # else when it is played
        try:
            parse_filter(text)
        except FilterError as error:
            raise ValueError(str(error)) from error
    return text


def _clock(text: str) -> str:
    try:
        _duration(text[1:]) if text.startswith("+") else milliseconds(text)
    except (ValueError, OverflowError) as error:
        raise ValueError(
            "is to be how far, such as +3d, or a time such as 2026-01-04T09:00:00Z"
        ) from error
    return text


def seconds_of(clock: str) -> float | None:
    """The seconds by which a clock step moves the clock; None if it names a time."""
    return _duration(clock[1:]) if clock.startswith("+") else None


def _node(text: str) -> str:
    if "${" not in text and not is_name(text):
        raise ValueError("is to be a node such as sorter-1")
    return text


def _insisted(value: Any) -> Any:
    """The text without the `=` that says it is not in the contract; see `scenario.contract`."""
    if isinstance(value, dict) and isinstance(value.get("$in"), list):
        return {**value, "$in": [_insisted(each) for each in value["$in"]]}
    return value.removeprefix("=") if isinstance(value, str) else value


def _with_own_code(problem: Any) -> Any:
    if isinstance(problem, dict) and "code" in problem:
        return {**problem, "code": _insisted(problem["code"])}
    return problem


Own = BeforeValidator(_insisted)
Duration = Annotated[float, BeforeValidator(_duration)]
Filter = Annotated[str, Field(min_length=1), AfterValidator(_filter)]
"""In the console's filter language: `op:reserve kind:req`."""
NodeName = Annotated[str, Own, AfterValidator(_node)]
Clock = Annotated[str, AfterValidator(_clock)]
VariableName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,39}$")]
Variables = dict[VariableName, Any]
Sentence = Annotated[str, Field(min_length=1, max_length=200)]


class _ScenarioModel(BaseModel):
    model_config = ConfigDict(
        strict=True, frozen=True, extra="forbid", use_attribute_docstrings=True
    )


class Goods(_ScenarioModel):
    """A style that is registered and put on a shelf before the first step."""

    pieces: Annotated[int, Field(ge=0, le=1_000_000)] = 10
    """How many pieces there are."""
    price: Annotated[int, Field(ge=1)] = 1000
    """In cents."""
    name: str | None = None
    """The name of its product; that of the variable if left out."""
    product: Name | None = None
    """The id of its product; styles with the same product are sold under one label."""
    gtin: Annotated[Gtin14, BeforeValidator(lambda text: gtin14(str(text)))] | None = None
    """A new one if left out."""
    attributes: Attributes
    shelves: dict[Location, Quantity] | None = None
    """The quantity at each location, instead of `pieces` at A-01-1."""


def _short_goods(value: Any) -> Any:
    return {"pieces": value} if isinstance(value, int) else value


class StoreSpec(_ScenarioModel):
    """The store that is started for a scenario."""

    clock: Literal["real", "virtual"] = "real"
    """`virtual` simulates the time: it passes as fast as it can be computed, and can be set."""
    sorters: Annotated[int, Field(ge=0, le=5)] = 1
    """The number of real sorters, from sorter-1; a scenario can fake others."""
    terminals: Annotated[int, Field(ge=0, le=5)] = 1
    """The number of real terminals, from terminal-1: they show reminders. A step can send in their
    names."""
    cards: bool = False
    """Whether it takes cards, by the simulated acquirer: tok_approve, tok_decline, tok_lost ..."""
    finds: dict[Location, Annotated[int, Field(ge=0)]] = {}
    """The most pieces that a pick of its sorters finds at a location."""
    settlement: SettlementSettings = SettlementSettings()
    warehouse: WarehouseSettings = WarehouseSettings()


class MessageDraft(_ScenarioModel):
    """A message to send; what is left out is made up where the contract needs it."""

    sender: Annotated[str | None, Own] = Field(default=None, alias="from")
    """The node in whose name it is sent."""
    to: Annotated[str | None, Own] = None
    op: Annotated[str | None, Own] = None
    data: Any = {}
    id: str | None = None
    """The id of an earlier message, to repeat it; a new one if left out."""
    attributes: dict[str, Any] = {}
    """Further attributes of the envelope, such as `expirytime`."""
    topic: Annotated[str | None, Own] = None
    """Instead of from, to and op: any topic; `./` is the site's root."""
    payload: str | None = None
    """Instead of data: any text."""
    size: Annotated[int, Field(ge=1, le=120_000)] | None = None
    """The size in bytes to which the payload is padded."""
    retain: bool = False
    response_topic: Annotated[str | None, Own] = None
    """MQTT 5 Response Topic; `./` is the site's root."""
    save: VariableName | None = Field(default=None, alias="as")
    """The variable that keeps its `id` and `data`."""


class MessagePattern(_ScenarioModel):
    """What a message looks like; each field is a pattern, and what is left out may be anything."""

    sender: Annotated[Any, Own] = Field(default=None, alias="from")
    to: Annotated[Any, Own] = None
    kind: Annotated[Any, Own] = None
    """req, rep, state or event."""
    op: Annotated[Any, Own] = None
    """The operation, state or event."""
    topic: Any = None
    id: Any = None
    answers: Any = None
    """The id of the request that a reply answers."""
    order: Any = None
    status: Any = None
    """Of a problem, as is `code`."""
    code: Annotated[Any, Own] = None
    retain: Any = None
    data: Any = None


class RespondSpec(_ScenarioModel):
    """The reply of a node that the scenario fakes to an operation."""

    node: NodeName = Field(alias="as")
    op: Annotated[str, Own]
    data: Any = None
    """Of each reply; `${request.data.job}` is filled from the request."""
    problem: Any = None
    """Instead of data: refuses with this problem."""
    times: Annotated[int, Field(ge=1)] | None = None
    """How many different requests it answers; all if left out."""
    after: Duration | None = None
    """The delay of each reply."""


class _Step(_ScenarioModel):
    says: ClassVar[str] = ""
    """A description for people."""
    note: Sentence | None = None
    """Printed instead of the step's description."""


class Send(_Step):
    """Send a message, and wait for its answer if one is expected."""

    send: MessageDraft
    reply: Any = None
    """A pattern of the data of the reply."""
    problem: Annotated[Any, BeforeValidator(_with_own_code)] = None
    """A pattern of the problem that is answered instead."""
    within: Duration = 10.0
    repeat: bool = True
    """Send it again with the same id until it is answered, as the contract asks of a client."""
    eventually: bool = False
    """Ask again until the reply is as expected."""


class Expect(_Step):
    """Wait for a message that no earlier step has taken."""

    expect: MessagePattern
    within: Duration = 10.0


class ExpectNone(_Step):
    """Check that no such message comes, for a time or until the store has nothing left to do."""

    expect_none: MessagePattern = Field(alias="expect none")
    within: Duration | None = None
    """How long to check; if left out, until the store is quiet, for 2 s at most."""


class Respond(_Step):
    """Fake a node from here on."""

    says = "{respond.node} answers {respond.op}"
    respond: RespondSpec


class Crash(_Step):
    """Crash a node: at once, or as soon as a message matches."""

    says = "crash {crash}"
    crash: NodeName
    when: Filter | None = None


class Stop(_Step):
    """Stop a node cleanly."""

    says = "stop {stop}"
    stop: NodeName


class Start(_Step):
    """Start a node, for the first time or again."""

    says = "start {start}"
    start: NodeName


class Drop(_Step):
    """Lose messages from here on."""

    says = "lose {drop}"
    drop: Filter
    times: Annotated[int, Field(ge=1)] | None = None


class Duplicate(_Step):
    """Duplicate messages from here on."""

    says = "let {duplicate} arrive {copies} times"
    duplicate: Filter
    copies: Annotated[int, Field(ge=2, le=10)] = 2
    times: Annotated[int, Field(ge=1)] | None = None


class Delay(_Step):
    """Delay messages from here on."""

    says = "delay {delay} by {by:g} s"
    delay: Filter
    by: Duration
    times: Annotated[int, Field(ge=1)] | None = None


class Reorder(_Step):
    """Hold messages back until there are `together` of them, and send the last one first."""

    says = "let {reorder} arrive in reverse, {together} at a time"
    reorder: Filter
    together: Annotated[int, Field(ge=2, le=20)] = 2
    times: Annotated[int, Field(ge=1)] | None = None


class Calm(_Step):
    """End all faults."""

    says = "let every message arrive again"
    calm: Literal["everything"]


class SetClock(_Step):
    """Let the simulated store's time pass."""

    says = "let time pass: {clock}"
    clock: Clock


class SetVariables(_Step):
    """Set variables."""

    says = "set variables"
    set: Annotated[Variables, Field(min_length=1)]


class Quiet(_Step):
    """Wait until the store has nothing left to do."""

    says = "wait until the store is quiet"
    quiet: Duration


_STEPS: dict[str, type[_Step]] = {
    "send": Send, "expect": Expect, "expect none": ExpectNone, "respond": Respond,
    "crash": Crash, "stop": Stop, "start": Start, "drop": Drop, "duplicate": Duplicate,
    "delay": Delay, "reorder": Reorder, "calm": Calm, "clock": SetClock, "set": SetVariables,
    "quiet": Quiet,
}  # fmt: skip
VERBS = tuple(_STEPS)
"""The kinds of steps."""


def _verb(step: Any) -> str | None:
    found = [verb for verb in VERBS if isinstance(step, dict) and verb in step]
    return found[0] if len(found) == 1 else None


Step = Annotated[
    Annotated[Send, Tag("send")] | Annotated[Expect, Tag("expect")]
    | Annotated[ExpectNone, Tag("expect none")] | Annotated[Respond, Tag("respond")]
    | Annotated[Crash, Tag("crash")] | Annotated[Stop, Tag("stop")] | Annotated[Start, Tag("start")]
    | Annotated[Drop, Tag("drop")] | Annotated[Duplicate, Tag("duplicate")]
    | Annotated[Delay, Tag("delay")] | Annotated[Reorder, Tag("reorder")]
    | Annotated[Calm, Tag("calm")] | Annotated[SetClock, Tag("clock")]
    | Annotated[SetVariables, Tag("set")] | Annotated[Quiet, Tag("quiet")],
    Discriminator(
        _verb,
        custom_error_type="verb",
        custom_error_message="a step is exactly one of " + ", ".join(VERBS),
    ),
]  # fmt: skip


class _Scope(_ScenarioModel):
    store: StoreSpec = StoreSpec()
    variables: Variables = {}
    goods: dict[VariableName, Annotated[Goods, BeforeValidator(_short_goods)]] = {}
    """By the variable that holds the SKU; a number alone is the number of pieces."""
    accounts: dict[VariableName, Annotated[int, Field(ge=0)]] = {}
    """The balance in cents, by the variable that holds the account."""


class ScenarioPart(_Scope):
    """One scenario; it takes what it leaves out from its file."""

    scenario: Sentence
    """What it shows, in a sentence, with the variables of its case filled in."""
    engines: list[Literal["mosquitto", "embedded", "external"]] | None = None
    """The engines on which it can be played; all if left out."""
    cases: Annotated[list[Variables], Field(min_length=1)] | None = None
    """Variables for each case; the cases are played one after the other in the same store."""
    steps: Annotated[list[Step], Field(min_length=1)]


class ScenarioFile(_Scope):
    """A file of scenarios, and what they have in common."""

    about: Sentence | None = None
    scenarios: Annotated[list[ScenarioPart], Field(min_length=1)]


AnyStep = (
    Send | Expect | ExpectNone | Respond | Crash | Stop | Start | Drop | Duplicate | Delay
    | Reorder | Calm | SetClock | SetVariables | Quiet
)  # fmt: skip
