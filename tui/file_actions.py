"""The files that a console writes at the press of a key: recordings, and pictures of the screen."""

from pathlib import Path

from textual.app import App

from bus.contract.errors import JournalError
from bus.text.safe import visible
from tui.context import ConsoleContext
from tui.model.export import save_picture
from tui.screens.prompt import Prompt
from tui.screens.sheet import Sheet


class FileActions(App[None]):
    """The part of the app that asks for file names and writes the files."""

    context: ConsoleContext

    def redraw(self) -> None:
        """Draw the current screen."""
        raise NotImplementedError

    def action_picture(self) -> None:
        """Save a picture of the screen in a file that the operator names."""
        if self.screen.is_modal and not isinstance(self.screen, Sheet):
            return
        drawn = self.export_screenshot(title=f"{self.title}: {self.context.model.topics.site}")
        words = self.context.say(
            "Save this screen as a picture (SVG) in which new file? It may show pickup codes, and"
            " is readable by you only."
        )

        def save(name: str) -> str:
            try:
                path = save_picture(drawn, Path(name).expanduser())
            except JournalError as error:
                return str(error)
            self.notify(
                visible(self.context.say("the picture is in {file}", file=path)), markup=False
            )
            return ""

        self.push_screen(Prompt(self.context, words, self.context.file_name("svg"), save))

    async def action_record(self) -> None:
        """Start recording into a file that the operator names, or stop recording."""
        recorder = self.context.recorder
        if recorder is None or self.screen.is_modal:
            return
        if recorder.path is None:
            words = self.context.say(
                "Record every message from now on into which file? It is continued if it is there,"
                " holds payment tokens, and is readable by you only."
            )
            self.push_screen(Prompt(self.context, words, self.context.file_name(), self._record))
            return
        file = recorder.path
        try:
            await recorder.stop()
            self.redraw()
        except JournalError as error:
            self.notify(visible(str(error)), severity="error", markup=False)
            return
        done = self.context.say(
            "{count} messages are in {file}", count=recorder.messages, file=file
        )
        self.notify(visible(done), markup=False)

    def _record(self, name: str) -> str:
        assert self.context.recorder is not None
        try:
            self.context.recorder.start(Path(name).expanduser())
        except JournalError as error:
            return str(error)
        return ""
