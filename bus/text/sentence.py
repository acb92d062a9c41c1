"""Sentences that are made where no language is known, and said where one is."""

from collections.abc import Callable
from typing import Any

Translate = Callable[[str], str]


def marked(text: str) -> str:
    """A text that stands in a table and is translated where it is said: marks it for catalogs."""
    return text


class Sentence:
    """A sentence in English with gaps, such as `waits for {node}`, and what fills them.

    Args:
        text: the English text; it is looked up in the catalog of the reader's language.
        values: what its gaps stand for; sentences among them are said in the same language.
    """

    __slots__ = ("text", "values")

    def __init__(self, text: str, **values: Any) -> None:
        self.text = text
        self.values = values

    def said(self, translate: Translate = str) -> str:
        """The sentence in a language."""
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
