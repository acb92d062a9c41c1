"""Renders a message in full: its headers, and its document as a tree."""

from bus.history.message import Message
from bus.text.safe import decoded, exposed
from tui.model.tree import Leaf, difference, tree
from tui.rendering.canvas import Canvas, Line, lasting, moment

_RAW = 16 * 1024
"""The most bytes shown of a payload that is not JSON."""
_WIDE = 160
"""Characters per line of it."""
_LONGEST = 1_000
"""The most characters of one value."""
_SIGN = {"same": " ", "added": "+", "removed": "-", "changed": "~"}
_STYLE = {"object": "dim", "array": "dim", "text": "text", "number": "number", "word": "word"}


def detail(message: Message, canvas: Canvas, before: Message | None = None) -> list[Line]:
    """The headers and the document, or its difference from another message."""
    lines = [*_headers(message, canvas), []]
    document = message.data()
    if document is None and message.payload != b"null":
        text = exposed(decoded(message.payload[:_RAW]))
        lines += [[(text[at : at + _WIDE], "")] for at in range(0, len(text), _WIDE)]
        if message.size > _RAW:
            lines.append([(canvas._("{count} bytes more", count=message.size - _RAW), "warn")])
        return lines
    if before is not None:
        earlier = canvas._("compared with {time}", time=moment(before.at))
        lines.append([("± " + earlier, "warn")])
        return lines + [leaf_line(leaf) for leaf in difference(document, before.data())]
    return lines + [leaf_line(leaf) for leaf in tree(document)]


def _headers(message: Message, canvas: Canvas) -> list[Line]:
    rows = [
        (canvas._("topic"), message.topic),
        (canvas._("heard"), f"{moment(message.at)}  #{message.number}"),
        (canvas._("size"), canvas._("{count} bytes", count=message.size)),
    ]
    if message.flaw is not None:
        rows.append((canvas._("problem"), canvas._(message.flaw)))
    if message.latency is not None:
        rows.append((canvas._("answer"), canvas._("after {time}", time=lasting(message.latency))))
    if message.repeats:
        rows.append((canvas._("repeated"), f"×{message.repeats + 1}"))
    if message.qos:
        rows.append(("QoS", str(message.qos)))
    if message.retain:
        rows.append((canvas._("retained"), canvas._("yes")))
    if message.response_topic is not None:
        rows.append((canvas._("response topic"), message.response_topic))
    if message.correlation is not None:
        rows.append((canvas._("correlation data"), decoded(message.correlation)))
    if message.expiry is not None:
        rows.append((canvas._("expires"), canvas._("after {time}", time=f"{message.expiry} s")))
    rows += message.user
    return [[(f"{name}: ", "dim"), (exposed(value[:_LONGEST]), "")] for name, value in rows]


def leaf_line(leaf: Leaf) -> Line:
    """A line of a tree: key, value and change."""
    style = _STYLE[leaf.sort] if leaf.change == "same" else leaf.change
    line: Line = []
    if leaf.change != "same":
        line.append((_SIGN[leaf.change], leaf.change))
    line.append(("  " * leaf.depth + " " * (leaf.change == "same"), ""))
    if leaf.key is not None:
        line.append((f"{exposed(leaf.key[:_LONGEST])}: ", "key"))
    line.append((exposed(leaf.value[:_LONGEST]), style))
    if len(leaf.value) > _LONGEST:
        line.append((f"… {len(leaf.value)}", "warn"))
    if leaf.before is not None:
        line.append((f"  ← {exposed(leaf.before[:_LONGEST])}", "removed"))
    return line
