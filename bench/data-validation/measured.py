"""Runs a command and writes how long the whole process took and how much memory it had at its peak, as JSON on the last line."""

import json
import resource
import subprocess
import sys
import time

began = time.perf_counter()
ended = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, text=True)
seconds = time.perf_counter() - began
used = resource.getrusage(resource.RUSAGE_CHILDREN)
if ended.returncode != 0:
    sys.exit(ended.returncode)
print(
    json.dumps(
        {
            "seconds": seconds,
            "cpuSeconds": used.ru_utime + used.ru_stime,
            "peakMb": used.ru_maxrss / 1024,
            "output": ended.stdout.strip().splitlines()[-1],
        }
    )
)
