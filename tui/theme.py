"""The styles of the light and the dark theme; what a colour says, a sign says too."""

from rich.style import Style

DARK, LIGHT = "textual-dark", "textual-light"
"""The names of the two themes."""
_DARK = {
    "": "", "dim": "#9aa0a6", "head": "bold", "good": "#57c77a", "bad": "bold #ff6b6b",
    "warn": "#ffb454", "key": "#7cc0ff", "text": "#a5d6a7", "number": "#d2a8ff",
    "word": "#ffb454", "mark": "bold reverse", "line": "#6b7280", "added": "#57c77a",
    "removed": "#ff6b6b strike", "changed": "#ffb454",
}  # fmt: skip
_LIGHT = {
    **_DARK, "dim": "#5f6670", "good": "#1a7f37", "bad": "bold #b3141f", "warn": "#8a5a00",
    "key": "#0550ae", "text": "#0a6640", "number": "#6f42c1", "word": "#8a5a00",
    "line": "#9aa0a6", "added": "#1a7f37", "removed": "#b3141f strike", "changed": "#8a5a00",
}  # fmt: skip
_STYLES = {
    dark: {name: Style.parse(style) for name, style in look.items()}
    for dark, look in ((True, _DARK), (False, _LIGHT))
}


def is_dark(theme: str) -> bool:
    """Whether a theme is the dark one; called for each line, so it must be cheap."""
    return theme != LIGHT


def style(name: str, *, dark: bool) -> Style:
    """The style with a name."""
    return _STYLES[dark][name]
