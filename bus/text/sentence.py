"""Sentences that are built where the language is not known, and translated where it is."""

from collections.abc import Callable
from typing import Any

Translate = Callable[[str], str]


def marked(text: str) -> str:
    """Mark a text for the message catalogs; it is translated where it is shown."""
    return text


class Sentence:
    """An English text with placeholders, such as `waits for {node}`, and their values.

    Args:
        text: the English text, which is the key in message catalogs.
        values: of the placeholders; sentences among them are translated, too.
    """

    __slots__ = ("text", "values")

    def __init__(self, text: str, **values: Any) -> None:
        self.text = text
        self.values = values

    def said(self, translate: Translate = str) -> str:
        """The sentence, translated and formatted."""
        values = {
            name: value.said(translate) if isinstance(value, Sentence) else value
            for name, value in self.values.items()
        }
        return translate(self.text).format(**values)

    def __str__(self) -> str:
        return self.said()

    def __repr__(self) -> str:
        return f"Sentence({self.said()!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sentence) and (self.text, self.values) == (
            other.text, other.values,
        )  # fmt: skip

    def __hash__(self) -> int:
        return hash(self.said())
