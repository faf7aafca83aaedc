"""Runs generated validators on the official test suite of JSON Schema.

argv: the project's folder, and a JSON file with a list of {"name", "contract", "tests": [{"description", "data", "valid"}]}.
stdout: one JSON object: how many tests, how many passed, and the names of those that did not.
"""

import json
import pathlib
import sys

from conformance import load, modules, validator_of


def main(project, cases):
    sys.path.insert(0, project)
    validators = modules(project, "validators")
    total = passed = 0
    missed = []
    for case in cases:
        total += len(case["tests"])
        path = validators.get(case["contract"])
        if path is None:
            missed.append(f"{case['name']}: no validator ({len(case['tests'])} tests)")
            continue
        try:
            validator = validator_of(load(project, path))
        except Exception as error:
            missed.append(f"{case['name']}: import: {error!r} ({len(case['tests'])} tests)"[:300])
            continue
        for test in case["tests"]:
            try:
                right = (not validator.errors(test["data"])) == test["valid"]
                note = ""
            except Exception as error:
                right, note = False, f": {type(error).__name__}"
            passed += right
            if not right:
                missed.append(f"{case['name']}: {test['description']}{note}")
    json.dump({"total": total, "passed": passed, "missed": missed}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1], json.loads(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8")))
