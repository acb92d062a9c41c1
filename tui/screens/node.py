"""The screen of one node, and the screen of the nodes of a role."""

from collections.abc import Iterable
from operator import attrgetter
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from bus.text.sentence import marked
from tui.context import ConsoleContext
from tui.model.nodes import NodeView
from tui.model.target import Target
from tui.rendering.node import TABLE, NodeRow, row, whole
from tui.screens.base import ConsoleScreen
from tui.widgets.line_list import LineList


class NodeScreen(ConsoleScreen):
    """One node, queried again and again while it is on the screen."""

    TAB = "store"
    HELP_TEXT: ClassVar[str] = marked(
        "What a node says of itself, and what was heard of it: where it runs and since when, its"
        " clock beside this computer's, what it has counted since it started, the last hour, what"
        " it logged last, the problems it answered, its alarms. A dash is what it does not say:"
        " devices need not. Enter on a problem, an alarm or a job shows the message or the order."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", marked("Back")),
        Binding("enter", "open", marked("Open")),
        Binding("m", "messages", marked("Its messages")),
    ]

    def __init__(self, context: ConsoleContext, node: str) -> None:
        super().__init__(context)
        self._node = node

    def body(self) -> Iterable[Widget]:
        """One list."""
        yield LineList(id="node")

    def on_mount(self) -> None:
        """Focus the list."""
        self.query_one("#node").focus()

    def on_unmount(self) -> None:
        """Stop querying the node."""
        if self.context.feed is not None:
            self.context.feed.look()

    def show(self) -> None:
        """Draw the node."""
        model, lines = self.context.model, self.query_one("#node", LineList)
        if self.context.feed is not None and self.is_current:
            self.context.feed.look(node=self._node)
        canvas = self.context.canvas(lines.size.width, lines.size.height)
        node = model.nodes.get(self._node) or NodeView(self._node)
        rows = whole(node, model, canvas)
        job = node.job
        if job is not None and job.order is not None and job.step not in ("idle", "done"):
            words = canvas._("Enter here shows the order {order}", order=job.order)
            rows.insert(1, NodeRow([("→ " + words, "key")], Target("order", job.order)))
        lines.show(rows, lambda each, _: each.line)

    def action_back(self) -> None:
        """Go back."""
        self.app.pop_screen()

    @on(LineList.Chosen, "#node")
    def action_open(self) -> None:
        """Open the target of the selected line."""
        item = self.query_one("#node", LineList).item
        if isinstance(item, NodeRow) and item.target is not None:
            self.open(item.target)

    def action_messages(self) -> None:
        """Show the traffic of this node."""
        self.post_message(self.Filtered(f"node:={self._node}"))


class NodesScreen(ConsoleScreen):
    """The nodes of a role."""

    TAB = "store"
    HELP_TEXT: ClassVar[str] = marked(
        "The nodes of one kind: who is there and since when, how much each says, how soon half of"
        " its answers came, what it has not done yet. Enter opens one."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", marked("Back")),
        Binding("enter", "open", marked("Open")),
    ]

    def __init__(self, context: ConsoleContext, role: str) -> None:
        super().__init__(context)
        self._role = role

    def body(self) -> Iterable[Widget]:
        """A table."""
        yield LineList(cursor=False, id="heading")
        yield LineList(id="nodes")
        yield LineList(cursor=False, id="note")

    def on_mount(self) -> None:
        """Focus the table."""
        self.query_one("#nodes").focus()

    def show(self) -> None:
        """Draw the table."""
        table = self.query_one("#nodes", LineList)
        canvas = self.context.canvas(table.size.width, table.size.height)
        nodes = [node for node in self.context.model.nodes if node.role == self._role]
        self.query_one("#heading", LineList).show([TABLE.heading(canvas)])
        place = table.stays(nodes, attrgetter("name"))
        table.show(nodes, lambda node, _: row(node, canvas), place=place)
        count = self._("{count} nodes", count=len(nodes))
        self.query_one("#note", LineList).show([[(count, "")]])

    def action_back(self) -> None:
        """Go back."""
        self.app.pop_screen()

    @on(LineList.Chosen, "#nodes")
    def action_open(self) -> None:
        """Open the selected node."""
        node = self.query_one("#nodes", LineList).item
        if isinstance(node, NodeView):
            self.open(Target("node", node.name))
