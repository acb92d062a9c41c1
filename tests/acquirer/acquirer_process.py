"""The real acquirer as a child process, for tests: started, read until ready, always reaped."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any, Self

READY = "acquirer listening on "
SECONDS = 30.0
"""Within this time the process does what it is told, or the test fails."""


class AcquirerProcess:
    """One running `python -m nodes.settlement.acquirer`, on a port that it picked itself."""

    def __init__(self, log: Path, *options: str) -> None:
        command = [sys.executable, "-m", "acquirer"]
        self.process = subprocess.Popen(
            [*command, "--port", "0", "--log", str(log), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # Standing where the test stands would hide a path that is taken as relative.
            cwd=Path(__file__).parents[2],
            env={**os.environ, "PYTHONWARNINGS": "error"},
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.startswith(READY):
            raise AssertionError(f"never ready: {self.stop()[1]}")
        self.url = line.removeprefix(READY).strip()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        # Nothing may depend on a clean end; the tests that are about one ask for it.
        self.stop(signal.SIGKILL)

    def stop(self, sig: int = signal.SIGTERM) -> tuple[int, str]:
        """Send the signal and wait; the exit code, and all of its standard error."""
        if self.process.poll() is None:
            self.process.send_signal(sig)
        return self.wait()

    def wait(self) -> tuple[int, str]:
        """Wait until it is gone by itself; stdin stays open meanwhile."""
        try:
            code = self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise
        assert self.process.stderr is not None
        errors = "" if self.process.stderr.closed else self.process.stderr.read()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
        return code, errors

    def entries(self, key: str) -> list[dict[str, Any]]:
        """What the acquirer's log says of `key`, asked without our own client."""
        return [entry for entry in self._log() if entry["key"] == key]

    def total(self) -> int:
        """How many entries its log has."""
        return len(self._log())

    def _log(self) -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{self.url}/log", timeout=SECONDS) as answer:  # noqa: S310 - ours
            entries: list[dict[str, Any]] = json.load(answer)
        return entries
