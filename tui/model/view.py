"""What of the traffic is looked at: filtered, followed or paused, and searched."""

from collections import deque
from collections.abc import Iterable

from bus.history.filter import Test, parse_filter
from bus.history.message import Message
from tui.model.history import MessageHistory


class View:
    """The messages of a history that pass a filter, kept up to date with each batch.

    Args:
        history: where they come from.
    """

    def __init__(self, history: MessageHistory) -> None:
        self._history = history
        self._shown: deque[Message] = deque()
        self._test: Test = parse_filter("")
        self.filter = ""
        self.paused = False
        self.missed = 0
        """Messages that passed the filter since it was paused, and are not shown."""

    def __len__(self) -> int:
        return len(self._shown)

    def __getitem__(self, place: int) -> Message:
        return self._shown[place]

    def take(self, messages: Iterable[Message]) -> None:
        """Messages were added to the history."""
        test = self._test
        if self.paused:
            self.missed += sum(test(message) for message in messages)
            return
        self._shown.extend(message for message in messages if test(message))
        self._forget()

    def turn_to(self, history: MessageHistory) -> None:
        """Look at another history in the same way."""
        self._history = history
        self._choose()
        self.missed = 0

    def pause(self, *, paused: bool) -> None:
        """Hold what is shown as it is, or go on with all that is kept."""
        if self.paused and not paused:
            self._choose()
        self.paused, self.missed = paused, 0

    def set_filter(self, text: str) -> None:
        """Look at what passes another filter.

        Raises:
            FilterError: it is none; nothing has changed.
        """
        self._test = parse_filter(text)
        self.filter = text
        self._choose()
        self.missed = 0

    def place(self, number: int) -> int:
        """Where a message stands, or the next younger one; the length if there is none."""
        low, high = 0, len(self._shown)
        while low < high:
            middle = (low + high) // 2
            if self._shown[middle].number < number:
                low = middle + 1
            else:
                high = middle
        return low

    def search(self, text: str, start: int, *, back: bool = False) -> int | None:
        """Where the next message with a text stands, going round once.

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
        """What the history has dropped is not shown either."""
        oldest = self._history.oldest
        while self._shown and self._shown[0].number < oldest:
            self._shown.popleft()
