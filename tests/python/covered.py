"""How much of generated models and validators their generated tests reach.

argv: the project's folder, and a JSON file with a list of {"name", "contract"}.
stdout: one JSON object: lines and branches, reached and all, of models and validators; of how many contracts the tests reach
nine tenths of the validator's branches; what failed; and the contracts that lack most.
"""

import json
import pathlib
import sys

import coverage
from conformance import modules
from mutants import enter, failure, loaded


def numbers(analysis):
    totals = analysis.numbers
    return [totals.n_executed, totals.n_statements, totals.n_executed_branches, totals.n_branches]


def main(project, entries):
    made = {kind: modules(project, kind) for kind in ("models", "validators", "tests")}
    measure = coverage.Coverage(data_file=None, branch=True, config_file=False, source=[f"{project}/generated"])
    enter(pathlib.Path(project))
    failed = {}
    measure.start()
    for entry in entries:
        path = made["tests"].get(entry["contract"])
        if path is None:
            continue
        try:
            why = failure(loaded(pathlib.Path(project), path, project), whole=True)
        except Exception as error:
            why = repr(error)[:200]
        if why:
            failed[entry["name"]] = why
    measure.stop()
    total, worst, contracts = {}, [], {"reached": 0, "all": 0}
    for kind in ("models", "validators"):
        total[kind] = [0, 0, 0, 0]
        for entry in entries:
            path = made[kind].get(entry["contract"])
            if path is None:
                continue
            found = numbers(measure._analyze(str(path)))
            total[kind] = [a + b for a, b in zip(total[kind], found, strict=True)]
            if kind == "validators":
                contracts["all"] += 1
                contracts["reached"] += found[2] * 10 >= found[3] * 9
                worst.append((found[3] - found[2], found[3], entry["name"]))
    json.dump({"total": total, "contracts": contracts, "failed": failed, "worst": sorted(worst, reverse=True)[:40]}, sys.stdout, indent=1)


if __name__ == "__main__":
    main(sys.argv[1], json.loads(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8")))
