"""The names of statuses, severities, states and steps, with a sign beside each colour."""

from bus.text.sentence import marked

STATUS = {
    "online": ("●", "good", marked("online")),
    "offline": ("○", "dim", marked("switched off")),
    "lost": ("✖", "bad", marked("lost")),
    "unknown": ("?", "warn", marked("not seen")),
}
"""By status of a node: sign, style, name."""
SEVERITY = {
    "critical": (marked("critical"), "bad"),
    "warning": (marked("warning"), "warn"),
    "notice": (marked("notice"), ""),
}
"""By severity of an alarm: name and style."""
MARK = {"critical": "!!", "warning": "! ", "notice": "· "}
"""By severity, its sign."""
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
"""By state of an order: sign, style, name."""
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
"""By step of a sorter's job, its name."""
KIND = {
    "req": ("→", ""),
    "rep": ("←", "dim"),
    "state": ("■", "key"),
    "event": ("!", "warn"),
    "foreign": ("?", "bad"),
}
"""By kind of message: sign and style."""
