"""Runs the official test suite of JSON Schema through generated validators, and through models if asked.

argv: see `--help`. stdout: one JSON object: per draft and part of the suite how many tests, how many passed, those that did not.
Each schema is a contract of its own; schemas that call themselves by one URI go to different projects.
"""

import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys

from conformance import bare_model, load, modules, same, validator_of

DIALECTS = {
    "draft2020-12": "https://json-schema.org/draft/2020-12/schema",
    "draft2019-09": "https://json-schema.org/draft/2019-09/schema",
    "draft7": "http://json-schema.org/draft-07/schema#",
    "draft6": "http://json-schema.org/draft-06/schema#",
    "draft4": "http://json-schema.org/draft-04/schema#",
}
FOLDERS = {"required": "", "optional": "optional", "format": "optional/format"}


def in_dialect(schema, dialect):
    """Each draft's tests are in that draft, said or not."""
    return {"$schema": dialect, **schema} if isinstance(schema, dict) and "$schema" not in schema else schema


def identifiers(schema):
    if isinstance(schema, dict):
        for name in ("$id", "id"):
            if isinstance(schema.get(name), str):
                yield schema[name]
        for member in schema.values():
            yield from identifiers(member)
    elif isinstance(schema, list):
        for item in schema:
            yield from identifiers(item)


def read_cases(suite, draft, part):
    for path in sorted((suite / "tests" / draft / FOLDERS[part]).glob("*.json")):
        groups = json.loads(path.read_text(encoding="utf-8"))
        for at, group in enumerate(groups):
            yield {
                "name": f"{path.stem}: {group['description']}",
                "contract": f"contracts/{path.stem}_{at:03}.json",
                "schema": in_dialect(group["schema"], DIALECTS[draft]),
                "tests": group["tests"],
            }


def apart(cases):
    """As few projects as possible, none of which has two schemas that call themselves by one URI."""
    projects = []
    for case in cases:
        own = set(identifiers(case["schema"]))
        for ids, members in projects:
            if ids.isdisjoint(own):
                ids |= own
                members.append(case)
                break
        else:
            projects.append((own, [case]))
    return [members for _, members in projects]


def mirror(remotes, draft, refs):
    """The remote schemas of the suite, each in the dialect of its folder."""
    for path in remotes.rglob("*.json"):
        below = path.relative_to(remotes)
        dialect = DIALECTS.get(below.parts[0], DIALECTS[draft])
        target = refs / "localhost:1234" / below
        target.parent.mkdir(parents=True, exist_ok=True)
        schema = json.loads(path.read_text(encoding="utf-8"))
        target.write_text(json.dumps(in_dialect(schema, dialect)), encoding="utf-8")


def build(omnigen, project, cases, suite, draft, part, options):
    shutil.rmtree(project, ignore_errors=True)
    mirror(suite / "remotes", draft, project / "refs")
    formats = "assert" if part == "format" or options.asserted else "annotate"
    targets = ["models", "validators"] if options.models else ["validators"]
    config = f'[project]\nname = "suite"\nrefs = "refs"\ntargets = {targets}\n\n[python]\nformat = "{formats}"\n'
    (project / "omnigen.toml").write_text(config, encoding="utf-8")
    for case in cases:
        path = project / case["contract"]
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(case["schema"]), encoding="utf-8")
    run = subprocess.run(
        [omnigen, "build", "--verbose", "--color", "never", "-C", project], capture_output=True, text=True, encoding="utf-8"
    )
    if run.returncode not in (0, 1):
        sys.exit(f"omnigen build: {run.returncode}\n{run.stderr[-4000:]}")
    said = {}
    for code, path in re.findall(r"^(?:error|warning|note)\[([\w-]+)\]: .*\n +--> (contracts/[^:\n]+)", run.stderr, re.M):
        said.setdefault(path, set()).add(code)
    return said


def score(project, cases, said, options, result):
    for name in [name for name in sys.modules if name == "generated" or name.startswith("generated.")]:
        del sys.modules[name]
    sys.path[0] = str(project)
    validators = modules(project, "validators")
    models = modules(project, "models")
    for case in cases:
        codes = ", ".join(sorted(said.get(case["contract"], ())))
        told = f" [{codes}]" if codes else ""
        result["total"] += len(case["tests"])
        try:
            module = load(project, validators[case["contract"]])
            validator = validator_of(module)
        except Exception as error:
            result["missed"].append(f"{case['name']}: no validator: {error!r} ({len(case['tests'])} tests){told}"[:400])
            continue
        bare = bare_model(load(project, models[case["contract"]]), validator) if options.models else None
        for test in case["tests"]:
            try:
                issues = validator.errors(test["data"])
                collected = []
                module.collect(test["data"], "", collected)
                right = (not issues) == test["valid"] and collected == issues
                note = "" if (not issues) == test["valid"] else ": accepted" if test["valid"] is False else f": {issues[:1]}"
                if not right and not note:
                    note = ": the two passes differ"
            except Exception as error:
                right, note = False, f": {error!r}"
            result["passed"] += right
            if not right:
                result["missed"].append(f"{case['name']}: {test['description']}{note}{told}"[:400])
            if options.models and test["valid"]:
                result["documents"] += 1
                try:
                    dumped = validator.validate(test["data"]).model_dump(by_alias=True, exclude_unset=True, mode="json")
                    kept, note = same(test["data"], dumped), f": comes back as {json.dumps(dumped)}"
                except Exception as error:
                    kept, note = False, f": {error!r}"
                result["kept"] += kept
                if not kept:
                    result["changed"].append(f"{case['name']}: {test['description']}{note}"[:400].replace("\n", " "))
            elif options.models:
                result["invalid"] += 1
                try:
                    validator.validate(test["data"])
                    if right:
                        result["changed"].append(f"{case['name']}: {test['description']}: validate takes what is invalid"[:400])
                except ValueError:
                    result["raised"] += 1
                taken, as_it_is = bare(test["data"])
                result["bare"] += taken
                result["coerced"] += taken and not as_it_is
                if taken and not as_it_is:
                    result["changed"].append(f"{case['name']}: {test['description']}: the model makes something else of it"[:400])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("omnigen")
    parser.add_argument("suite", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path, help="where projects are made")
    parser.add_argument("--draft", action="append", choices=DIALECTS)
    parser.add_argument("--part", action="append", choices=FOLDERS)
    parser.add_argument("--models", action="store_true")
    parser.add_argument("--asserted", action="store_true", help="assert formats in all parts")
    parser.add_argument("--only", default="", help="a regular expression for the names of cases")
    options = parser.parse_args()
    sys.path.insert(0, "")
    sys.setrecursionlimit(20_000)
    results = {}
    for draft in options.draft or DIALECTS:
        for part in options.part or ["required"]:
            result = {"total": 0, "passed": 0, "missed": [], "documents": 0, "kept": 0, "changed": []}
            result |= dict.fromkeys(["invalid", "raised", "bare", "coerced"], 0)
            cases = [case for case in read_cases(options.suite, draft, part) if re.search(options.only, case["name"])]
            for at, members in enumerate(apart(cases)):
                project = options.folder / f"{draft}-{part}-{at}"
                said = build(options.omnigen, project, members, options.suite, draft, part, options)
                score(project, members, said, options, result)
            results[f"{draft} {part}"] = result
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
