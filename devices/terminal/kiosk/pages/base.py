"""What every page of the kiosk has: a title, what it shows, and a bar of large buttons."""

from collections.abc import Awaitable, Callable, Iterable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button, Input

from bus.text.safe import visible
from bus.text.texts import Texts
from devices.terminal.kiosk.choices import Choices
from devices.terminal.kiosk.controller import Attendant
from devices.terminal.kiosk.customer_session import Guest, Page
from devices.terminal.kiosk.keypad import Keyboard
from devices.terminal.kiosk.prose import Prose
from devices.terminal.kiosk.settings import KioskSettings
from devices.terminal.kiosk.tap import Tap

_AIRY = 3
"""Lines of a row that a finger meets well."""
_AROUND = 12
"""Lines around a list."""
_BESIDE = 9
"""Columns beside a row of a list: margins, border, padding, and the bar by which it is scrolled."""


class KioskPage(Vertical):
    """A page; it is drawn anew from the guest whenever something changed.

    Args:
        attendant: serves the customer.
        say: the texts in the customer's language.
        settings: how customers are treated.
    """

    FIRST: ClassVar[str] = "Button"
    """What has the focus at first."""
    IS_KEPT: ClassVar[bool] = True
    """Whether it is kept for the next time; not where it shows what is one customer's alone."""

    class Go(Message):
        """The customer wants another page."""

        def __init__(self, page: Page) -> None:
            super().__init__()
            self.page = page

    class Leave(Message):
        """The customer is done."""

    class Moved(Message):
        """What a press is for is another now, although the page is the same."""

    def __init__(self, attendant: Attendant, say: Texts, settings: KioskSettings) -> None:
        super().__init__()
        self.attendant = attendant
        self.say = say
        self.settings = settings

    @property
    def guest(self) -> Guest:
        """The customer."""
        return self.attendant.guest

    @property
    def columns(self) -> int:
        """How wide a line of a list may be."""
        return max(1, self.app.size.width - _BESIDE)

    def compose(self) -> ComposeResult:
        """Title, content, buttons."""
        yield Prose(visible(self.title()), "title")
        yield from self.body()
        with Horizontal(id="bar"):
            for name, text in self.buttons():
                yield Tap(visible(text), id=name, classes="-main" if name == "next" else "")

    def airy(self, rows: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """The rows of a list with room for a finger, if there is room for all."""
        if _AIRY * len(rows) > self.app.size.height - _AROUND:
            return rows
        return [(name, f"\n{text}\n") for name, text in rows]

    def title(self) -> str:
        """What the page is for."""
        raise NotImplementedError

    def body(self) -> Iterable[Widget]:
        """What it shows."""
        raise NotImplementedError

    def buttons(self) -> Iterable[tuple[str, str]]:
        """Its large buttons: name and text."""
        raise NotImplementedError

    def enter(self) -> None:
        """Somebody has come to it."""
        self.query_one("#title", Prose).show(visible(self.title()))

    def forget(self) -> None:
        """They have left: what they typed and chose is nobody else's."""
        for field in self.query(Input):
            field.value = ""
        for choices in self.query(Choices):
            choices.show([])
        self.show_letters(False)

    def keep(self) -> Callable[[], None]:
        """How to undo what keys type from now on: they may turn out to be a scanner's."""
        fields = [(each, each.value, each.cursor_position) for each in self.query(Input)]

        def undo() -> None:
            for field, value, position in fields:
                field.value, field.cursor_position = value, position

        return undo

    def draw(self) -> None:
        """Show what has changed."""

    @property
    def has_letters(self) -> bool:
        """Whether letters are there to tap."""
        return self.has_class("-letters")

    def show_letters(self, to: bool) -> None:
        """Letters to tap, or not any more."""
        for keyboard in self.query(Keyboard):
            if to != self.has_letters:
                keyboard.shift(False)
                self.set_class(to, "-letters")
                self.post_message(self.Moved())
                self.redraw()

    def press_letters(self) -> None:
        """Letters to tap for who has no keyboard; again, and they are away."""
        self.show_letters(not self.has_letters)

    def serve(self, work: Awaitable[None]) -> None:
        """Have something done while keys are still heard."""
        self.app.run_worker(work, name="serve")

    def redraw(self) -> None:
        """Draw all that may have changed."""
        self.attendant.changed()

    def on_key(self, event: events.Key) -> None:
        """What is typed goes into the page's field, wherever the focus is."""
        fields = self.query(Input)
        if event.is_printable and event.character and fields and not fields.first().has_focus:
            event.stop()
            fields.first().focus()
            fields.first().insert_text_at_cursor(event.character)
        elif not fields and event.character and event.character.isdecimal():
            event.stop()
            self.typed(event.character)
        elif not fields and event.key == "backspace":
            event.stop()
            self.typed("")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """A button was pressed, by touch or Enter."""
        event.stop()
        self.pressed(event.button)

    def pressed(self, button: Button) -> None:
        """Each button has a method of its name."""
        press: Callable[[], None] = getattr(self, f"press_{button.id}")
        press()

    def on_option_list_option_selected(self, event: Choices.OptionSelected) -> None:
        """One of a list was tapped, or Enter was pressed on it."""
        event.stop()
        if event.option_id is not None:
            self.picked(event.option_id)

    def on_option_list_option_highlighted(self, event: Choices.OptionHighlighted) -> None:
        """One of a list is looked at."""
        event.stop()
        if event.option_id is not None:
            self.looked_at(event.option_id)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in a field is the page's main button."""
        event.stop()
        self.press_next()

    def typed(self, digit: str) -> None:
        """A digit of how many, where there is no field; empty to take the last one back."""

    def picked(self, name: str) -> None:
        """One of a list was chosen."""

    def looked_at(self, name: str) -> None:
        """One of a list is highlighted."""

    def press_next(self) -> None:
        """The page's main button."""

    def press_back(self) -> None:
        """Back, or to the start."""
        self.post_message(self.Go(self.guest.back()))

    def press_cart(self) -> None:
        """To the cart."""
        self.post_message(self.Go("cart"))
