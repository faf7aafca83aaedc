"""Runs a program once and says what it cost.

argv: the program and its arguments. Its output is dropped.
stdout: one JSON object: wall and CPU in seconds, the largest resident set in MB, the exit code.
"""

import json
import os
import sys
import time

devnull = os.open(os.devnull, os.O_RDWR)
actions = [(os.POSIX_SPAWN_DUP2, devnull, fd) for fd in (0, 1, 2)]
begin = time.perf_counter()
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ, file_actions=actions)
_, status, usage = os.wait4(pid, 0)
wall = time.perf_counter() - begin
unit = 1e6 if sys.platform == "darwin" else 1e3
json.dump(
    {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "mb": usage.ru_maxrss / unit, "code": os.waitstatus_to_exitcode(status)},
    sys.stdout,
)
