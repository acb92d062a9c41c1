"""Turn into another program that ends when the process that started it ends, even by SIGKILL.

Run as `python -m broker.leash PARENT_PID PROGRAM [ARGUMENT ...]`. It must stay free of imports
that are slow, and knows nothing of brokers. On other systems than Linux the program runs on.
"""

import ctypes
import os
import signal
import sys

# <linux/prctl.h>
PR_SET_PDEATHSIG = 1


def leashed(*program: str) -> tuple[str, ...]:
    """How to start a program so that it does not outlive this process."""
    return (sys.executable, "-P", "-m", "broker.leash", str(os.getpid()), *program)


def main() -> None:
    """Ask the kernel for the signal, then replace this process by the program.

    The request survives `execve`, so no second process has to stay and watch. It is forgotten
    when a process changes its user: the program must not do that.
    """
    parent, program = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        if ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
            sys.stderr.write("This program cannot be leashed here and may outlive the store.\n")
        # The parent may have died before the request was made.
        if os.getppid() != parent:
            sys.exit("the process that wanted this program is gone")
    os.execv(program[0], program)  # noqa: S606 - a list of arguments, no shell


if __name__ == "__main__":
    main()
