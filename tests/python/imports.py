"""Times the import of generated modules, each in a process of its own.

argv: the project's folder, and a JSON file with {"modules": [dotted names]}.
stdout: one JSON object: seconds of the processor that pydantic takes until a first model of one field is there, that its import
alone takes (much of it is loaded with the first model), and per module its import, pydantic included, and how many times as long
that is as a first model.
Module and first model take turns, with byte code already there, and of each the least of as many runs is compared.
"""

import json
import pathlib
import subprocess
import sys

RUNS = 4
CODE = "import sys, time; start = time.process_time(); exec({!r}); print(time.process_time() - start)"
FIRST = "from pydantic import BaseModel\nclass First(BaseModel):\n    name: str"


def seconds(project, statement):
    command = [sys.executable, "-c", CODE.format(statement)]
    return float(subprocess.run(command, cwd=project, capture_output=True, check=True, text=True).stdout)


def main(project, names):
    pydantic = alone = float("inf")
    modules, ratios = {}, {}
    for name in names:
        try:
            seconds(project, f"import {name}")
        except subprocess.CalledProcessError:
            # What cannot be imported is told by the score, not here.
            continue
        turns = [(seconds(project, FIRST), seconds(project, f"import {name}")) for _ in range(RUNS)]
        first, modules[name] = (min(times) for times in zip(*turns, strict=True))
        ratios[name] = modules[name] / first
        pydantic = min(pydantic, first)
        alone = min(alone, seconds(project, "from pydantic import BaseModel"))
    json.dump({"pydantic": pydantic, "alone": alone, "modules": modules, "ratios": ratios}, sys.stdout, indent=1)


if __name__ == "__main__":
    main(sys.argv[1], json.loads(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8"))["modules"])
