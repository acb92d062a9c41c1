"""What a node hears: each message goes to whoever handles its kind.

Nothing that arrives, however wrong, may end the node.
"""

import logging

from bus.contract.topics import Topics
from bus.link import Incoming
from bus.runtime.publisher import Counts
from bus.runtime.reply_handler import ReplyHandler
from bus.runtime.request_handler import RequestHandler
from bus.runtime.state_handler import StateHandler

logger = logging.getLogger("storebus.node")


class Dispatcher:
    """Sorts what arrives at one node.

    Args:
        node: its name.
        topics: of its site.
        counts: what was heard and dropped.
        requests: handles requests.
        replies: handles replies.
        states: handles states and events.
    """

    def __init__(
        self,
        node: str,
        topics: Topics,
        counts: Counts,
        requests: RequestHandler,
        replies: ReplyHandler,
        states: StateHandler,
    ) -> None:
        self._node = node
        self._topics = topics
        self._counts = counts
        self._requests = requests
        self._replies = replies
        self._states = states

    def dispatch(self, messages: list[Incoming]) -> None:
        """Sort what arrived, in order."""
        for message in messages:
            self._counts["received"] += 1
            try:
                self._sort(message)
            except Exception:
                self._counts.drop("defect")
                logger.exception("%s: could not take %s", self._node, message.topic)

    def _sort(self, message: Incoming) -> None:
        address = self._topics.parse(message.topic)
        if address is None:
            self._counts.drop("foreign-topic")
        elif address.kind == "req":
            self._requests.handle(message, address)
        elif address.kind == "rep":
            self._replies.handle(message, address)
        else:
            self._states.handle(message, address)
