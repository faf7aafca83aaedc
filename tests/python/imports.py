"""Times the import of generated modules, each in a process of its own.

argv: the project's folder, and a JSON file with {"modules": [dotted names]}.
stdout: one JSON object: seconds of the processor that pydantic takes until a first model of one field is there, that its import
alone takes (much of it is loaded with the first model), and per module its import, pydantic included.
Each is the least of several runs, with byte code already there; pydantic and the modules take turns.
"""

import json
import pathlib
import subprocess
import sys

RUNS = 3
CODE = "import sys, time; start = time.process_time(); exec({!r}); print(time.process_time() - start)"
FIRST = "from pydantic import BaseModel\nclass First(BaseModel):\n    name: str"


def seconds(project, statement):
    command = [sys.executable, "-c", CODE.format(statement)]
    return float(subprocess.run(command, cwd=project, capture_output=True, check=True, text=True).stdout)


def main(project, names):
    pydantic = alone = float("inf")
    modules = {}
    for name in names:
        try:
            seconds(project, f"import {name}")
        except subprocess.CalledProcessError:
            # What cannot be imported is told by the score, not here.
            continue
        for _ in range(RUNS):
            pydantic = min(pydantic, seconds(project, FIRST))
            alone = min(alone, seconds(project, "from pydantic import BaseModel"))
            modules[name] = min(modules.get(name, float("inf")), seconds(project, f"import {name}"))
    json.dump({"pydantic": pydantic, "alone": alone, "modules": modules}, sys.stdout, indent=1)


if __name__ == "__main__":
    main(sys.argv[1], json.loads(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8"))["modules"])
