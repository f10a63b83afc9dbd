#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""type_tab.py WANTED TYPED INIT SHELL... - press Tab in a shell.

Starts SHELL on a terminal, lets it run INIT, types TYPED and Tab, and waits until
WANTED is on the screen; exit status 0 if it came."""

import os
import pty
import re
import select
import sys
import time

wanted, typed, init = sys.argv[1:4]
child, terminal = pty.fork()
if child == 0:
    os.environ["TERM"] = "dumb"
    os.execvp(sys.argv[4], sys.argv[4:])
seen = ""


def read_until(text):
    """What a terminal would show; zsh types its words again and again."""
    global seen
    end = time.monotonic() + 120
    while text not in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|[\r\a]", "", seen):
        ready, _, _ = select.select([terminal], [], [], max(0, end - time.monotonic()))
        if not ready:
            print(repr(seen))
            sys.exit(1)
        seen += os.read(terminal, 4096).decode(errors="replace")


os.write(terminal, (init + "; echo re''ady\n").encode())
read_until("\nready")
seen = ""
os.write(terminal, (typed + "\t").encode())
read_until(wanted)
