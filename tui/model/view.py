"""The view of the traffic: filtered, followed or paused, and searched."""

from collections import deque
from collections.abc import Iterable

from bus.history.filter import Test, parse_filter
from bus.history.message import Message
from tui.model.history import MessageHistory


class View:
    """The messages of a history that pass a filter.

    Args:
        history: with the messages.
    """

    def __init__(self, history: MessageHistory) -> None:
        self._history = history
        self._shown: deque[Message] = deque()
        self._test: Test = parse_filter("")
        self.filter = ""
        self.paused = False
        self.missed = 0
        """The number of messages that passed the filter while it was paused."""

    def __len__(self) -> int:
        return len(self._shown)

    def __getitem__(self, place: int) -> Message:
        return self._shown[place]

    def take(self, messages: Iterable[Message]) -> None:
        """Take messages that were added to the history."""
        test = self._test
        if self.paused:
            self.missed += sum(test(message) for message in messages)
            return
        self._shown.extend(message for message in messages if test(message))
        self._forget()

    def turn_to(self, history: MessageHistory) -> None:
        """Show another history through the same filter."""
        self._history = history
        self._choose()
        self.missed = 0

    def pause(self, *, paused: bool) -> None:
        """Pause, or follow again."""
        if self.paused and not paused:
            self._choose()
        self.paused, self.missed = paused, 0

    def set_filter(self, text: str) -> None:
        """Set another filter.

        Raises:
            FilterError: it is not valid; nothing has changed.
        """
        self._test = parse_filter(text)
        self.filter = text
        self._choose()
        self.missed = 0

    def place(self, number: int) -> int:
        """The index of a message, or of the next later one; the length if there is none."""
        low, high = 0, len(self._shown)
        while low < high:
            middle = (low + high) // 2
            if self._shown[middle].number < number:
                low = middle + 1
            else:
                high = middle
        return low

    def search(self, text: str, start: int, *, back: bool = False) -> int | None:
        """The index of the next message with a text, wrapping around.

        Raises:
            FilterError: the text has a quote that is not closed.
        """
        test = parse_filter(text)
        count = len(self._shown)
        shown = list(self._shown)
        for step in range(1, count + 1):
            place = (start - step if back else start + step) % count
            if test(shown[place]):
                return place
        return None

    def _choose(self) -> None:
        self._shown = deque(message for message in self._history if self._test(message))

    def _forget(self) -> None:
        """Drop what the history has dropped."""
        oldest = self._history.oldest
        while self._shown and self._shown[0].number < oldest:
            self._shown.popleft()
