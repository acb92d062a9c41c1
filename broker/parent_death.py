"""Runs a program that the kernel kills when its parent ends, even by SIGKILL.

Run as `python -m broker.parent_death PARENT_PID PROGRAM [ARGUMENT ...]`. It sets the parent-death
signal of prctl(2) and replaces itself by the program. It has no slow imports and knows nothing of
brokers. Other systems than Linux have no such signal: there the program may outlive its parent.
"""

import ctypes
import os
import signal
import sys

# <linux/prctl.h>
PR_SET_PDEATHSIG = 1


def ends_with_parent(*program: str) -> tuple[str, ...]:
    """The command that starts a program so that it does not outlive this process."""
    return (sys.executable, "-P", "-m", "broker.parent_death", str(os.getpid()), *program)


def main() -> None:
    """Set the parent-death signal, then replace this process by the program.

    The signal survives `execve`, so no second process has to stay and watch. It is cleared when a
    process changes its user: the program must not do that.
    """
    parent, program = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        if ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            sys.stderr.write(
                "This program cannot be made to end with the store here and may outlive it.\n"
            )
        # The parent may have died before the request was made.
        if os.getppid() != parent:
            sys.exit("the process that wanted this program is gone")
    os.execv(program[0], program)  # noqa: S606 - a list of arguments, no shell


if __name__ == "__main__":
    main()
