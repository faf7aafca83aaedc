"""Do the generated tests of a contract find faults in its models and validators?

Two kinds of faults, each told apart from the original by an engine of its own on documents that have nothing to do with the
tests beyond their examples: a contract with one constraint changed, and a validator with one operator or constant changed.

argv: the project's folder, and a JSON file with {"omnigen": the program, "entries": a list of
{"name", "contract", "valid": [paths], "invalid": [paths]}}.
stdout: one JSON object: counts by kind of fault, the survivors, and what test calls cost.
"""

import ast
import copy
import importlib
import importlib.util
import json
import pathlib
import random
import shutil
import subprocess
import sys
import time
import types
from multiprocessing import Pool

import jsonschema_rs
from conformance import modules, read
from faults import schema_faults, validator_faults

sys.setrecursionlimit(10_000)

# For one contract: faults of its schema, faults of its validator, documents that may tell them apart.
SCHEMAS, VALIDATORS, DOCUMENTS = 24, 16, 2500
LONGEST, MOST = 40_000, 6_000_000


class Refs:
    """Schemas of other URLs, from the mirror."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, uri):
        path = self.folder / uri.split("#")[0].split("://", 1)[-1]
        return json.loads(path.read_text(encoding="utf-8-sig"))


def judge(schema, refs):
    validator = jsonschema_rs.validator_for(schema, validate_formats=True, retriever=refs)
    return validator.is_valid


def forget():
    for name in [name for name in sys.modules if name == "generated" or name.startswith("generated.")]:
        del sys.modules[name]


def name_of(project, path):
    return ".".join(path.relative_to(project).with_suffix("").parts)


def loaded(project, path, under=None):
    """A module of a project, from its own file; under another project's packages if one is given."""
    name = name_of(project, path)
    if under is None:
        return importlib.import_module(name)
    package = name.rpartition(".")[0]
    if package not in sys.modules:
        # The changed project has no tests of its own.
        sys.modules[package] = types.ModuleType(package)
        sys.modules[package].__path__ = []
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def enter(project):
    forget()
    sys.path[:] = [part for part in sys.path if not part.startswith("/") or not (pathlib.Path(part) / "generated").is_dir()]
    sys.path.insert(0, str(project))
    importlib.invalidate_caches()


def cases(module):
    """All calls that pytest would make, as (name, function, arguments)."""
    for name, function in list(vars(module).items()):
        if not name.startswith("test_") or not callable(function):
            continue
        marks = [mark for mark in getattr(function, "pytestmark", []) if mark.name == "parametrize"]
        if not marks:
            yield name, function, {}
        for mark in marks:
            names = mark.args[0]
            names = [part.strip() for part in names.split(",")] if isinstance(names, str) else names
            for case in mark.args[1]:
                values = case.values if hasattr(case, "values") and hasattr(case, "id") else (case,) if len(names) == 1 else case
                yield f"{name}[{getattr(case, 'id', None)}]", function, dict(zip(names, values, strict=True))


def failure(module, whole=False):
    """The first test that fails, or nothing; the others are run as well if `whole` is set."""
    first = None
    for name, function, arguments in cases(module):
        try:
            function(**arguments)
        except BaseException as error:  # pytest's own failures are no Exceptions
            if isinstance(error, KeyboardInterrupt):
                raise
            first = first or f"{name}: {type(error).__name__}"
            if not whole:
                return first
    return first


def examples(module):
    """The documents of a test module."""
    for _, _, arguments in cases(module):
        if "document" in arguments:
            yield arguments["document"]


def harvest(schema, found):
    """Texts, numbers and names that the schema speaks of."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key in ("enum", "examples") and isinstance(value, list):
                found["values"].extend(value)
            elif key in ("const", "default"):
                found["values"].append(value)
            elif isinstance(value, (int, float)) and not isinstance(value, bool):
                found["numbers"].add(value)
            elif key in ("properties", "patternProperties") and isinstance(value, dict):
                found["names"].update(value)
            elif key == "required" and isinstance(value, list):
                found["names"].update(name for name in value if isinstance(name, str))
            harvest(value, found)
    elif isinstance(schema, list):
        for item in schema:
            harvest(item, found)


def places(document, path=()):
    yield path, document
    if isinstance(document, dict):
        for name, value in document.items():
            yield from places(value, (*path, name))
    elif isinstance(document, list):
        for index, value in enumerate(document[:6]):
            yield from places(value, (*path, index))


def put(document, path, value):
    if not path:
        return value
    new = copy.copy(document)
    new[path[0]] = put(document[path[0]], path[1:], value)
    return new


def others(value, pool, random):
    """What could stand there instead."""
    yield from (None, True, 0, 1, "", "x", [], {}, 1.5, -1)
    if isinstance(value, str):
        for number in pool["lengths"]:
            yield "a" * number
        yield from random.sample(pool["texts"], min(6, len(pool["texts"])))
        yield value + "!"
        yield "!" + value
        yield value[:-1]
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        for number in pool["numbers"]:
            yield from (number - 1, number, number + 1, number / 2)
    elif isinstance(value, list):
        yield value[1:]
        if value:
            yield [*value, value[0]]
            for number in pool["lengths"]:
                if number < 60:
                    yield (value * (number // len(value) + 1))[:number]
        yield [*value, "x"]
    elif isinstance(value, dict):
        for name in list(value)[:30]:
            yield {key: member for key, member in value.items() if key != name}
        for name in random.sample(pool["names"], min(8, len(pool["names"]))) + ["zz"]:
            if name not in value:
                yield {**value, name: random.choice(pool["any"])}
    yield from random.sample(pool["any"], min(4, len(pool["any"])))


def documents(schema, bases, random):
    """The bases, and the bases with one or two places changed."""
    found = {"values": [], "numbers": set(), "names": set()}
    harvest(schema, found)
    values = [value for value in found["values"] if len(json.dumps(value)) < 200]
    pool = {
        "numbers": sorted(number for number in found["numbers"] if abs(number) < 1e15)[:12],
        "lengths": sorted({n + d for n in found["numbers"] if isinstance(n, int) and 0 <= n <= 300 for d in (-1, 0, 1) if n + d >= 0})[:24],
        "texts": [value for value in values if isinstance(value, str)] or ["text"],
        "names": sorted(found["names"]),
        "any": [*values[:200], "text", 1, None, True, {}, [], [1], {"a": 1}],
    }
    bases = [base for base in bases if len(json.dumps(base)) < LONGEST]
    sizes = {id(base): len(json.dumps(base)) for base in bases}
    variants = []
    for base in bases[:24]:
        for path, value in places(base):
            for other in others(value, pool, random):
                variants.append((base, path, other))
        if len(variants) > 60_000:
            break
    random.shuffle(variants)
    room, made = MOST, []
    for variant in variants[:DOCUMENTS]:
        made.append(put(*variant))
        room -= sizes[id(variant[0])]
        if room < 0:
            break
    for document in random.sample(made, min(len(made), DOCUMENTS // 5)):
        path, value = random.choice(list(places(document)))
        made.append(put(document, path, random.choice(list(others(value, pool, random)))))
    return bases + made


def built(folder, project, entry, schema, omnigen):
    """A project with only this contract in a changed form; false if it is none any more."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    settings = (project / "omnigen.toml").read_text(encoding="utf-8")
    settings = settings.replace("[project]\n", '[project]\ntargets = ["models", "validators"]\n', 1)
    (folder / "omnigen.toml").write_text(settings, encoding="utf-8")
    (folder / "refs").symlink_to((project / "refs").resolve())
    contract = folder / entry["contract"]
    contract.parent.mkdir(parents=True)
    contract.write_text(json.dumps(schema), encoding="utf-8")
    done = subprocess.run([omnigen, "build", "--quiet", "--color", "never", "-C", folder], capture_output=True)
    return done.returncode == 0


def verdict(is_valid, document):
    try:
        return is_valid(document)
    except Exception:
        return None


def timed(project, test):
    """Milliseconds that all calls of a test module take, and how many there are; the module is loaded and warm."""
    module = loaded(project, test, project)
    calls = list(cases(module))
    begin = time.perf_counter()
    for _, function, arguments in calls:
        function(**arguments)
    return (time.perf_counter() - begin) * 1000, len(calls)


def score(arguments):
    project, omnigen, entry, paths = arguments
    project, test, checked = pathlib.Path(project), pathlib.Path(paths["tests"]), pathlib.Path(paths["validators"])
    chance = random.Random(entry["name"])
    result = {"name": entry["name"], "kinds": {}, "survived": [], "problems": []}
    schema = json.loads((project / entry["contract"]).read_text(encoding="utf-8-sig"))
    refs = Refs(project / "refs")
    enter(project)
    try:
        module = loaded(project, test, project)
        result["milliseconds"], result["calls"] = timed(project, test)
        if why := failure(loaded(project, test, project)):
            result["problems"].append(f"its own tests fail: {why}")
            return result
        own = judge(schema, refs)
    except Exception as error:
        result["problems"].append(f"{type(error).__name__}: {error}"[:200])
        return result
    bases = [copy.deepcopy(document) for document in examples(module)]
    corpus = []
    for path in entry["valid"] + entry["invalid"]:
        try:
            corpus.append(read(path))
        except Exception as error:
            result["problems"].append(f"unreadable {path}: {error}"[:200])
    some = corpus + bases[:2] + chance.sample(bases, min(len(bases), 16))
    pool = bases + documents(schema, some, chance)
    before = [verdict(own, document) for document in pool]

    def count(kind, caught, what):
        row = result["kinds"].setdefault(kind, [0, 0])
        row[1] += 1
        row[0] += caught
        if not caught:
            result["survived"].append(what)

    folder = project.parent / "mutants" / entry["name"]
    if built(folder, project, entry, schema, omnigen):
        enter(folder)
        if why := failure(loaded(project, test, folder)):
            result["problems"].append(f"alone in a project, its own tests fail: {why}")
            return result
    kept = 0
    for kind, pointer, changed in schema_faults(schema, chance):
        if kept >= SCHEMAS:
            break
        try:
            theirs = judge(changed, refs)
        except Exception:
            continue
        witness = next((i for i, document in enumerate(pool) if before[i] is not None and verdict(theirs, document) not in (None, before[i])), None)
        if witness is None or not built(folder, project, entry, changed, omnigen):
            continue
        kept += 1
        enter(folder)
        why = failure(loaded(project, test, folder))
        shown = json.dumps(pool[witness])
        count(f"contract: {kind}", why is not None, f"{kind} at {pointer}, seen on {shown[:160]}")
    shutil.rmtree(folder, ignore_errors=True)

    enter(project)
    validator = loaded(project, checked)
    name = name_of(project, checked)
    source = checked.read_text(encoding="utf-8")
    runner = next(value for key, value in vars(validator).items() if key.startswith("Validator") and isinstance(value, type))
    few = [i for i in range(len(pool)) if before[i] is not None]
    few = few[: len(bases)] + chance.sample(few, min(len(few), 600))
    few = [i for i in few if (not runner.errors(pool[i])) == before[i]]
    kept = 0
    for kind, line, tree in validator_faults(ast.parse(source), chance):
        if kept >= VALIDATORS:
            break
        changed = types.ModuleType(name)
        changed.__file__, changed.__package__ = str(checked), name.rpartition(".")[0]
        sys.modules[name] = changed
        try:
            exec(compile(tree, str(checked), "exec"), vars(changed))
            errors = vars(changed)[runner.__name__].errors
        except Exception:
            continue

        def right(i, errors=errors):
            try:
                return (not errors(pool[i])) == before[i]
            except Exception:
                return False

        witness = next((i for i in few if not right(i)), None)
        if witness is None:
            continue
        kept += 1
        setattr(sys.modules[changed.__package__], name.rpartition(".")[2], changed)
        why = failure(loaded(project, test, project))
        shown = json.dumps(pool[witness])
        count(f"validator: {kind}", why is not None, f"{kind} at line {line}, seen on {shown[:160]}")
    return result


def main(project, omnigen, entries):
    made = {kind: modules(project, kind) for kind in ("models", "validators", "tests")}
    work = []
    for entry in entries:
        paths = {kind: str(found[entry["contract"]]) for kind, found in made.items() if entry["contract"] in found}
        if len(paths) == 3:
            work.append((project, omnigen, entry, paths))
    total, survived, problems, slow = {}, {}, {}, []
    with Pool(2, maxtasksperchild=4) as pool:
        for result in pool.imap_unordered(score, work):
            for kind, (caught, kept) in result["kinds"].items():
                row = total.setdefault(kind, [0, 0])
                row[0] += caught
                row[1] += kept
            if result["survived"]:
                survived[result["name"]] = result["survived"]
            if result["problems"]:
                problems[result["name"]] = result["problems"]
            slow.append((result.get("milliseconds", 0), result["name"], result.get("calls", 0)))
            print(result["name"], result["kinds"], file=sys.stderr, flush=True)
    json.dump({"kinds": total, "survived": survived, "problems": problems, "milliseconds": sorted(slow, reverse=True)}, sys.stdout, indent=1)


if __name__ == "__main__":
    given = json.loads(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8"))
    main(sys.argv[1], given["omnigen"], given["entries"])
