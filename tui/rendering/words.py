"""The words for what nodes, orders and messages can be, with a sign beside each colour."""

from bus.text.sentence import marked

STATUS = {
    "online": ("●", "good", marked("online")),
    "offline": ("○", "dim", marked("switched off")),
    "lost": ("✖", "bad", marked("lost")),
    "unknown": ("?", "warn", marked("not seen")),
}
"""Of a node: sign, style, word."""
SEVERITY = {
    "critical": (marked("critical"), "bad"),
    "warning": (marked("warning"), "warn"),
    "notice": (marked("notice"), ""),
}
"""Of an alarm: word and style."""
MARK = {"critical": "!!", "warning": "! ", "notice": "· "}
"""The same as a sign."""
ORDER = {
    "reserving": ("…", "", marked("reserving")),
    "charging": ("…", "", marked("charging")),
    "settled": ("▶", "", marked("settled")),
    "short": ("▷", "warn", marked("short")),
    "ready": ("◆", "good", marked("ready")),
    "reminded": ("◆", "good", marked("reminded")),
    "collected": ("✔", "dim", marked("collected")),
    "refused": ("✖", "dim", marked("refused")),
    "declined": ("✖", "dim", marked("declined")),
    "cancelling": ("◀", "warn", marked("cancelling")),
    "cancelled": ("○", "dim", marked("cancelled")),
    "expiring": ("◀", "warn", marked("expiring")),
    "expired": ("○", "dim", marked("expired")),
}
"""Of an order."""
UNKNOWN = ("?", "dim", marked("not known"))
STEP = {
    "idle": marked("idle"),
    "assigned": marked("has a job"),
    "travelling": marked("on the way"),
    "picking": marked("picking"),
    "short": marked("found too few"),
    "conveying": marked("conveying"),
    "packing": marked("packing"),
    "done": marked("done"),
    "aborted": marked("stopped"),
}
"""Of a sorter's job."""
KIND = {
    "req": ("→", ""),
    "rep": ("←", "dim"),
    "state": ("■", "key"),
    "event": ("!", "warn"),
    "foreign": ("?", "bad"),
}
"""Of a message: sign and style."""
