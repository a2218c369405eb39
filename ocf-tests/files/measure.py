#!/usr/bin/python3
"""Runs a command a number of times and prints wall and CPU seconds of each run.

CPU is user and system time of the command and of all children it waited for.
"""
import os
import subprocess
import sys
import time


def main():
    runs, command = int(sys.argv[1]), sys.argv[2:]
    for _ in range(runs):
        start = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
        code = os.waitstatus_to_exitcode(status)
        print("%.6f %.6f %d" % (wall, usage.ru_utime + usage.ru_stime, code))


if __name__ == "__main__":
    main()
