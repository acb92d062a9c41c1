"""Renders the playback of a recording in one line: state, speed, time and progress."""

from bus.text.safe import width
from tui.model.player import Player
from tui.rendering.canvas import Canvas, Line, clock, day

_LEAST = 8
"""The least cells of the progress bar; with less room there is none."""


def strip(player: Player, canvas: Canvas) -> Line:
    """The line above each screen of a recording."""
    archive, at = player.archive, player.position
    sign, style, word = (
        ("✖", "bad", player.trouble) if player.trouble
        else ("…", "warn", canvas._("going to {time}", time=clock(at))) if player.behind
        else ("►", "good", canvas._("plays")) if player.playing
        else ("■", "", canvas._("at the end")) if at >= archive.end
        else ("‖", "warn", canvas._("paused"))
    )  # fmt: skip
    left: Line = [
        (f" {sign} {word}", style),
        (f"  {player.speed}×  ", "key"),
        (f"{day(player.at)} ", "dim"),
        (clock(player.at), "head"),
    ]
    so_far = f"  {_lasting(player.at - archive.start)} / {_lasting(archive.end - archive.start)} "
    right: Line = [(so_far, "")]
    if player.skipped:
        right.append((canvas._("known from {time} ", time=clock(player.known_from)), "warn"))
    room = canvas.width - sum(width(text) for text, _ in left + right) - 2
    if room < _LEAST:
        ranks = (0, 3, 2, 0, 4, 1)
        return canvas.fitted(
            *((rank, *span) for rank, span in zip(ranks, left + right, strict=False))
        )
    whole = max(1, archive.end - archive.start)
    done = max(0, min(room, (player.at - archive.start) * room // whole))
    return [*left, ("  " + "━" * done, "key"), ("─" * (room - done), "dim"), *right]


def _lasting(milliseconds: int) -> str:
    """Hours, minutes and seconds."""
    minutes, seconds = divmod(max(0, milliseconds) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}"
