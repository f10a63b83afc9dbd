#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""clock_tick.py MICROSECONDS: how far CLOCK_REALTIME gets with each tick of
10000 microseconds, as who corrects the time does it.
"""
import ctypes
import sys

ADJ_TICK = 0x4000


class Timex(ctypes.Structure):
    """struct timex, as far as it is needed."""

    _fields_ = [("modes", ctypes.c_uint)] + [
        (name, ctypes.c_long) for name in (
            "offset", "freq", "maxerror", "esterror", "status", "constant",
            "precision", "tolerance", "sec", "usec", "tick")] + [
        ("rest", ctypes.c_long * 32)]


timex = Timex(modes=ADJ_TICK, tick=int(sys.argv[1]))
if ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(timex)) < 0:
    sys.exit(f"adjtimex: errno {ctypes.get_errno()}")
