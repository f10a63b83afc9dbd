#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""extcap_toolbar.py DIR IFACE FILTER - Wireshark's part of extcap, by hand.

Starts ptap-extcap on IFACE with the capture filter FILTER and the three pipes in
DIR, as Wireshark's window does.  Lines on standard input are then typed into the
toolbar's filter; "end" ends the capture as Wireshark's red square does.  Prints
what the program says to the toolbar.  The packets go to DIR/packets."""

import os
import signal
import subprocess
import sys
import threading

where, iface, capture_filter = sys.argv[1:]
FIFO, IN, OUT = (os.path.join(where, n) for n in ("fifo", "in", "out"))
COMMANDS = {1: "set", 2: "add", 6: "status", 7: "info", 8: "warning", 9: "error"}


def message(control, command, text=b""):
    length = len(text) + 2
    return b"T" + length.to_bytes(3, "big") + bytes((control, command)) + text


def show(pipe):
    while True:
        head = pipe.read(6)
        if len(head) < 6:
            return
        text = pipe.read(int.from_bytes(head[1:4], "big") - 2)
        print(head[4], COMMANDS.get(head[5], head[5]), text.decode().strip(),
              flush=True)


def drain(pipe):
    with open(os.path.join(where, "packets"), "wb") as out:
        while True:
            data = pipe.read1(65536)
            if not data:
                return
            out.write(data)
            out.flush()


for name in (FIFO, IN, OUT):
    os.mkfifo(name)
extcap = subprocess.Popen(
    ["ptap-extcap", "--extcap-interface", iface, "--capture", "--fifo", FIFO,
     "--extcap-capture-filter", capture_filter, "--extcap-control-in", IN,
     "--extcap-control-out", OUT, "--extcap-version=4.0"])
packets = threading.Thread(target=drain, args=(open(FIFO, "rb"),))
packets.start()
# Opened for both, a pipe waits for nobody.
threading.Thread(target=show, args=(os.fdopen(os.open(OUT, os.O_RDWR), "rb"),),
                 daemon=True).start()
control = os.open(IN, os.O_RDWR)
# The toolbar's filter is empty when it has not been touched.
os.write(control, message(0, 1) + message(0, 0))
for line in sys.stdin:
    if line.strip() == "end":
        break
    # In two pieces, as a pipe may deliver it.
    data = message(0, 1, line.strip().encode())
    os.write(control, data[:4])
    os.write(control, data[4:])
extcap.send_signal(signal.SIGTERM)
status = extcap.wait()
packets.join()
print("exit", status, flush=True)
