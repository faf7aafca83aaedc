"""Times the import of generated models, each in a process of its own.

argv: the project's folder, and a JSON file with {"modules": [dotted names]}.
stdout: one JSON object: seconds that pydantic's own import takes (its `BaseModel`), and per module its import, pydantic included.
Each is the least of several runs, with byte code already there; pydantic and the modules take turns.
"""

import json
import pathlib
import subprocess
import sys

RUNS = 3
CODE = "import sys, time; start = time.perf_counter(); {}; print(time.perf_counter() - start)"


def seconds(project, statement):
    command = [sys.executable, "-c", CODE.format(statement)]
    return float(subprocess.run(command, cwd=project, capture_output=True, check=True, text=True).stdout)


def main(project, names):
    pydantic = float("inf")
    modules = {}
    for name in names:
        try:
            seconds(project, f"import {name}")
        except subprocess.CalledProcessError:
            # What cannot be imported is told by the score, not here.
            continue
        for _ in range(RUNS):
            pydantic = min(pydantic, seconds(project, "from pydantic import BaseModel"))
            modules[name] = min(modules.get(name, float("inf")), seconds(project, f"import {name}"))
    json.dump({"pydantic": pydantic, "modules": modules}, sys.stdout, indent=1)


if __name__ == "__main__":
    main(sys.argv[1], json.loads(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8"))["modules"])
