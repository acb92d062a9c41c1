"""What a node does beside everything else, until it is done or the node ends."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class BackgroundTasks:
    """The short-lived tasks of one node.

    Args:
        node: its name.
        tasks: the group that they belong to.
    """

    def __init__(self, node: str, tasks: asyncio.TaskGroup) -> None:
        self._node = node
        self._tasks = tasks
        self._running: set[asyncio.Task[None]] = set()

    def start(self, what: Coroutine[Any, Any, None], name: str) -> None:
        """Do something; the name is for people."""
        task = self._tasks.create_task(what, name=f"{self._node}/{name}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def cancel(self) -> None:
        """Cancel whatever is not done yet."""
        for task in list(self._running):
            task.cancel()
