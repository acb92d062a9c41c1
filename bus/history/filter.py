"""The filter language of the traffic: `from:terminal-7 op:purchase status:>=400 text:mug`.

Terms are joined by "and"; `-` before a term negates it; several values of a term, separated by
commas, are joined by "or". Terms: from, to, node (either), op, kind (req, rep, state, event,
foreign), order, id, topic, code, status, size (bytes), latency (ms), repeats, and text (in the
payload, ignoring case). A value may end with `*`. Numbers take `>`, `>=`, `<`, `<=` or `=`. A word
alone is searched for in the topic and the payload.

A value that the contract does not have (an operation, node, kind or code) is refused, since nothing
would ever pass; `op:=dance` takes the value after the `=` as it is.
"""

import operator
import re
import shlex
from collections.abc import Callable

from bus.contract.channel import role_of
from bus.contract.errors import StorebusError
from bus.contract.topics import Topics
from bus.contract.vocabulary import (
    CHANNEL_NAMES,
    CODES,
    KINDS,
    can_begin_node,
    nearest,
    nearest_node,
)
from bus.history.message import Message
from bus.text.duration import SECONDS_IN
from bus.text.sentence import Sentence

Test = Callable[[Message], bool]

_UNITS = {unit: round(seconds * 1000) for unit, seconds in SECONDS_IN.items()} | {"k": 1024, "": 1}
"""Milliseconds, or bytes, of each."""
_COMPARISON = re.compile(rf"(>=|<=|>|<|=)?(\d+)({'|'.join(SECONDS_IN)}|k)?")
_HOW: dict[str, Callable[[int, int], bool]] = {
    ">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le, "=": operator.eq,
}  # fmt: skip

_TEXTS: dict[str, Callable[[Message], tuple[str | None, ...]]] = {
    "from": lambda message: (message.sender,),
    "to": lambda message: (message.receiver,),
    "node": lambda message: (message.sender, message.receiver),
    "op": lambda message: (message.name,),
    "kind": lambda message: (message.kind,),
    "order": lambda message: (message.order,),
    "id": lambda message: (message.id, message.answers),
    "topic": lambda message: (message.topic,),
    "code": lambda message: (message.code,),
}
_NUMBERS: dict[str, Callable[[Message], int | None]] = {
    "status": lambda message: message.status,
    "size": lambda message: message.size,
    "latency": lambda message: message.latency,
    "repeats": lambda message: message.repeats,
}
KNOWN: dict[str, frozenset[str]] = {
    "op": CHANNEL_NAMES, "kind": KINDS | {"foreign"}, "code": CODES,
}  # fmt: skip
"""By term, the values that the contract lists."""
_ROOT = Topics("x").root.removesuffix("x")
"""The beginning of the topics of all sites."""
NODES = frozenset({"from", "to", "node"})
"""The terms whose values are names of nodes."""
WORDS = (*_TEXTS, *_NUMBERS, "text")
"""The terms of the language, for help and completion."""


class FilterError(StorebusError):
    """A text that is no filter.

    Args:
        sentence: what is wrong.
    """

    def __init__(self, sentence: Sentence) -> None:
        super().__init__(str(sentence))
        self.sentence = sentence


def parse_filter(text: str) -> Test:
    """Parse a filter into a test of messages; an empty one passes all.

    Raises:
        FilterError: an unknown term, not a number, or an unclosed quote.
    """
    try:
        parts = shlex.split(text)
    except ValueError as error:
        raise FilterError(
            Sentence("The filter has an unclosed quote: {filter}", filter=text)
        ) from error
    tests = [_test(part) for part in parts]
    if not tests:
        return lambda _: True
    if len(tests) == 1:
        return tests[0]
    return lambda message: all(test(message) for test in tests)


def _test(part: str) -> Test:
    if part.startswith("-") and len(part) > 1:
        inner = _test(part[1:])
        return lambda message: not inner(message)
    word, colon, value = part.partition(":")
    if not colon:
        return _text_test(part)
    if not value:
        raise FilterError(
            Sentence(
                "{word}: has no value, such as {word}:{value}.", word=word, value=_example(word)
            )
        )
    if word == "text":
        return _text_test(value)
    if word in _NUMBERS:
        return _number_test(word, value)
    if word in _TEXTS:
        return _name_test(word, value)
    raise FilterError(
        Sentence("There is no word {word}: there are {words}.", word=word, words=", ".join(WORDS))
    )


def _example(word: str) -> str:
    return ">=400" if word in _NUMBERS else "terminal-7"


def _text_test(value: str) -> Test:
    wanted = value.casefold()
    as_bytes = value.encode("utf-8", "surrogatepass")

    def test(message: Message) -> bool:
        if wanted in message.topic.casefold():
            return True
        if as_bytes in message.payload:
            return True
        return wanted in message.payload.decode("utf-8", "replace").casefold()

    return test


def _name_test(word: str, value: str) -> Test:
    values = [each[1:] if each.startswith("=") else _asked_about(word, each)
              for each in value.split(",")]  # fmt: skip
    exact = frozenset(each for each in values if not each.endswith("*"))
    prefixes = tuple(each[:-1] for each in values if each.endswith("*"))
    names = _TEXTS[word]

    def test(message: Message) -> bool:
        for name in names(message):
            if name is not None and (name in exact or (prefixes and name.startswith(prefixes))):
                return True
        return False

    return test


def _asked_about(word: str, value: str) -> str:
    """A value, if a message of the contract can have it.

    Raises:
        FilterError: none can; suggests a similar value.
    """
    meant = _meant(word, value)
    if meant == value:
        return value
    if meant is None:
        raise FilterError(
            Sentence(
                "The contract has no {word}:{value}; {word}:={value} insists.",
                word=word, value=value,
            )
        )  # fmt: skip
    raise FilterError(
        Sentence(
            "The contract has no {word}:{value}: did you mean {word}:{meant}?"
            " {word}:={value} insists.",
            word=word, value=value, meant=meant,
        )
    )  # fmt: skip


def _meant(word: str, value: str) -> str | None:
    """The value if the contract has it, else a similar one, else None."""
    start = value.removesuffix("*")
    if word == "topic":
        is_known = start.startswith(_ROOT) or _ROOT.startswith(start)
        return value if is_known else f"{_ROOT}SITE/{value.removeprefix('./')}"
    if word in NODES:
        is_known = can_begin_node(start) if start != value else role_of(value) is not None
        return value if is_known else nearest_node(start)
    known = KNOWN.get(word)
    if known is None:
        return value
    if start == value:
        return value if value in known else nearest(value, known)
    return value if any(each.startswith(start) for each in known) else nearest(start, known)


def _number_test(word: str, value: str) -> Test:
    number = _NUMBERS[word]
    comparisons = []
    for each in value.split(","):
        found = _COMPARISON.fullmatch(each)
        if found is None:
            raise FilterError(
                Sentence(
                    "{word}:{value} is not a number, such as {word}:>=400.", word=word, value=each
                )
            )
        how, digits, unit = found.groups(default="")
        comparisons.append((_HOW[how or "="], int(digits) * _UNITS[unit]))

    def test(message: Message) -> bool:
        found = number(message)
        return found is not None and any(how(found, bound) for how, bound in comparisons)

    return test
