"""The base of the kiosk's pages: a title, a body, and a bar of large buttons."""

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
from devices.terminal.kiosk.controller import KioskController
from devices.terminal.kiosk.customer_session import CustomerSession, Page
from devices.terminal.kiosk.keypad import Keyboard
from devices.terminal.kiosk.prose import Prose
from devices.terminal.kiosk.settings import KioskSettings
from devices.terminal.kiosk.tap import Tap

_AIRY = 3
"""Lines of a row that is easy to tap."""
_AROUND = 12
"""Lines around a list."""
_BESIDE = 9
"""Columns beside a row of a list: margins, border, padding and scroll bar."""


class KioskPage(Vertical):
    """A page, drawn from the session whenever something has changed.

    Args:
        controller: does what the customer asks for.
        say: the texts in the customer's language.
        settings: of the kiosk.
    """

    FIRST: ClassVar[str] = "Button"
    """Selects the widget that has the focus at first."""
    IS_KEPT: ClassVar[bool] = True
    """Whether the page is reused; not if it shows a customer's private data."""

    class Go(Message):
        """The customer wants another page."""

        def __init__(self, page: Page) -> None:
            super().__init__()
            self.page = page

    class Leave(Message):
        """The customer ends the session."""

    class Moved(Message):
        """Widgets have changed places although the page is the same."""

    def __init__(self, controller: KioskController, say: Texts, settings: KioskSettings) -> None:
        super().__init__()
        self.controller = controller
        self.say = say
        self.settings = settings

    @property
    def session(self) -> CustomerSession:
        """The customer's session."""
        return self.controller.session

    @property
    def columns(self) -> int:
        """The width of a line of a list, in cells."""
        return max(1, self.app.size.width - _BESIDE)

    def compose(self) -> ComposeResult:
        """Title, body, buttons."""
        yield Prose(visible(self.title()), "title")
        yield from self.body()
        with Horizontal(id="bar"):
            for name, text in self.buttons():
                yield Tap(visible(text), id=name, classes="-main" if name == "next" else "")

    def airy(self, rows: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """The rows of a list, made taller if there is room for all of them."""
        if _AIRY * len(rows) > self.app.size.height - _AROUND:
            return rows
        return [(name, f"\n{text}\n") for name, text in rows]

    def title(self) -> str:
        """The title."""
        raise NotImplementedError

    def body(self) -> Iterable[Widget]:
        """The widgets between title and buttons."""
        raise NotImplementedError

    def buttons(self) -> Iterable[tuple[str, str]]:
        """The large buttons: name and text."""
        raise NotImplementedError

    def enter(self) -> None:
        """The page is shown."""
        self.query_one("#title", Prose).show(visible(self.title()))

    def forget(self) -> None:
        """The page is left: clear what was typed and chosen."""
        for field in self.query(Input):
            field.value = ""
        for choices in self.query(Choices):
            choices.show([])
        self.show_letters(False)

    def keep(self) -> Callable[[], None]:
        """A function that undoes what is typed from now on: it may be a scanner's."""
        fields = [(each, each.value, each.cursor_position) for each in self.query(Input)]

        def undo() -> None:
            for field, value, position in fields:
                field.value, field.cursor_position = value, position

        return undo

    def draw(self) -> None:
        """Show what has changed."""

    @property
    def has_letters(self) -> bool:
        """Whether the on-screen keyboard is shown."""
        return self.has_class("-letters")

    def show_letters(self, to: bool) -> None:
        """Show or hide the on-screen keyboard."""
        for keyboard in self.query(Keyboard):
            if to != self.has_letters:
                keyboard.shift(False)
                self.set_class(to, "-letters")
                self.post_message(self.Moved())
                self.redraw()

    def press_letters(self) -> None:
        """Toggle the on-screen keyboard."""
        self.show_letters(not self.has_letters)

    def serve(self, work: Awaitable[None]) -> None:
        """Do something in the background."""
        self.app.run_worker(work, name="serve")

    def redraw(self) -> None:
        """Redraw the kiosk."""
        self.controller.changed()

    def on_key(self, event: events.Key) -> None:
        """Typed text goes into the page's field, wherever the focus is."""
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
        """A button was pressed."""
        event.stop()
        self.pressed(event.button)

    def pressed(self, button: Button) -> None:
        """Call the method of the button: `press_next` for `next`."""
        press: Callable[[], None] = getattr(self, f"press_{button.id}")
        press()

    def on_option_list_option_selected(self, event: Choices.OptionSelected) -> None:
        """A row of a list was chosen."""
        event.stop()
        if event.option_id is not None:
            self.picked(event.option_id)

    def on_option_list_option_highlighted(self, event: Choices.OptionHighlighted) -> None:
        """A row of a list is highlighted."""
        event.stop()
        if event.option_id is not None:
            self.looked_at(event.option_id)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in a field is the page's main button."""
        event.stop()
        self.press_next()

    def typed(self, digit: str) -> None:
        """A digit was typed on a page without a field; an empty one deletes the last."""

    def picked(self, name: str) -> None:
        """A row of a list was chosen, by its id."""

    def looked_at(self, name: str) -> None:
        """A row of a list is highlighted, by its id."""

    def press_next(self) -> None:
        """The page's main button."""

    def press_back(self) -> None:
        """Go back."""
        self.post_message(self.Go(self.session.back()))

    def press_cart(self) -> None:
        """Go to the cart."""
        self.post_message(self.Go("cart"))
