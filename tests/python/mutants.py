"""Do the generated tests of a contract find faults in its models and validators?

Three kinds of faults: a contract with one constraint changed, kept if an engine of its own tells it apart from the original on
some document; a validator with one operator or constant changed, kept if it answers wrongly on some document; a model with a
field, a type or a constraint less, kept if it says something else of some document than the original. The documents are the
corpus's, the tests', and random changes of both.

Changed contracts are built in batches: the n-th change of every contract is one project.

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
import signal
import subprocess
import sys
import time
import types
from contextlib import contextmanager
from multiprocessing import Pool

import jsonschema_rs
from conformance import modules, read
from faults import model_faults, schema_faults, validator_faults

sys.setrecursionlimit(10_000)

# For one contract: faults of its schema, its validator, its models, and documents that may tell them apart.
SCHEMAS, VALIDATORS, MODELS, DOCUMENTS = 12, 8, 6, 1200
LONGEST, MOST = 40_000, 3_000_000
# Seconds of CPU for one call: a changed loop may never end, which is found.
PATIENCE = 5


class Refs:
    """Schemas of other URLs, from the mirror."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, uri):
        path = self.folder / uri.split("#")[0].split("://", 1)[-1]
        if not path.is_file():
            # Of a schema without a URL of its own: its neighbour.
            path = self.folder.parent / "contracts" / uri.split("#")[0].rpartition("/")[2]
        if not path.is_file():
            # The corpus lacks it: nothing is known of it, and nothing is asked.
            return {}
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


@contextmanager
def patience():
    """What runs on and on ends with an error."""

    def stop(signum, frame):
        raise TimeoutError(f"no end after {PATIENCE} seconds")

    signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)


def failure(module, whole=False):
    """The first test that fails, or nothing; the others are run as well if `whole` is set."""
    first = None
    for name, function, arguments in cases(module):
        try:
            with patience():
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


def verdict(is_valid, document):
    try:
        return is_valid(document)
    except Exception:
        return None


def timed(project, test):
    """Milliseconds of CPU that all calls of a test module take, and how many there are: the module is loaded, and others run
    on this machine, so that the least of three rounds counts."""
    module = loaded(project, test, project)
    calls = [(function, arguments) for _, function, arguments in cases(module)]
    least = float("inf")
    for _ in range(3):
        begin = time.process_time()
        for function, arguments in calls:
            function(**arguments)
        least = min(least, time.process_time() - begin)
    return least * 1000, len(calls)


def tally(result, kind, caught, what):
    row = result["kinds"].setdefault(kind, [0, 0])
    row[1] += 1
    row[0] += caught
    if not caught:
        result["survived"].append(f"{kind.partition(': ')[2]} {what}")


def shown(document):
    return json.dumps(document)[:160]


def exchanged(project, path, tree):
    """The module of that file with other content, in the place of the original."""
    name = name_of(project, path)
    changed = types.ModuleType(name)
    changed.__file__, changed.__package__ = str(path), name.rpartition(".")[0]
    sys.modules[name] = changed
    setattr(sys.modules[changed.__package__], name.rpartition(".")[2], changed)
    exec(compile(tree, str(path), "exec"), vars(changed))
    return changed


def prepare(arguments):
    """Everything but changed contracts, which are chosen here and built later: (result, list of (kind, pointer, witness, schema))."""
    project, _, entry, paths = arguments
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
            return result, []
        own = judge(schema, refs)
    except Exception as error:
        result["problems"].append(f"{type(error).__name__}: {error}"[:200])
        return result, []
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
    order = sorted((i for i in range(len(pool)) if before[i] is not None), key=lambda i: (i >= len(bases), chance.random()))
    chosen = schemas(schema, refs, pool, before, order, chance)
    validators(result, project, test, checked, pool, before, order, chance)
    models(result, project, test, pathlib.Path(paths["models"]), pool, before, order, chance)
    return result, chosen


def schemas(schema, refs, pool, before, order, chance):
    chosen = []
    for kind, pointer, changed in schema_faults(schema, chance):
        if len(chosen) >= SCHEMAS:
            break
        try:
            theirs = judge(changed, refs)
        except Exception:
            continue
        witness = next((i for i in order if verdict(theirs, pool[i]) not in (None, before[i])), None)
        if witness is not None:
            chosen.append((kind, pointer, shown(pool[witness]), changed))
    return chosen


def validators(result, project, test, checked, pool, before, order, chance):
    enter(project)
    runner = next(value for key, value in vars(loaded(project, checked)).items() if key.startswith("Validator") and isinstance(value, type))
    few = [i for i in order[:900] if (not runner.errors(pool[i])) == before[i]]
    kept = 0
    for kind, line, tree in validator_faults(ast.parse(checked.read_text(encoding="utf-8")), chance):
        if kept >= VALIDATORS:
            break
        try:
            errors = vars(exchanged(project, checked, tree))[runner.__name__].errors
        except Exception:
            continue

        def right(i, errors=errors):
            try:
                with patience():
                    return (not errors(pool[i])) == before[i]
            except Exception:
                return False

        witness = next((i for i in few if not right(i)), None)
        if witness is None:
            continue
        kept += 1
        why = failure(loaded(project, test, project))
        tally(result, f"validator: {kind}", why is not None, f"at line {line}, seen on {shown(pool[witness])}")


def view(model, document):
    """What a model says of a document: the declared fields that it has found, or nothing if it refuses it."""

    def fields(value):
        if hasattr(type(value), "model_fields"):
            return {name: fields(getattr(value, name)) for name in type(value).model_fields if name in value.model_fields_set}
        if isinstance(value, list):
            return [fields(item) for item in value]
        if isinstance(value, dict):
            return {name: fields(member) for name, member in value.items()}
        return type(value).__name__

    try:
        with patience():
            return fields(model.model_validate(document))
    except Exception:
        return None


def models(result, project, test, path, pool, before, order, chance):
    enter(project)
    module = loaded(project, test, project)
    name = next((key for key in vars(module) if key.startswith("Model")), None)
    if name is None:
        return
    few = order[:400]
    usual = {i: view(vars(module)[name], pool[i]) for i in few}
    kept = 0
    for kind, line, tree in model_faults(ast.parse(path.read_text(encoding="utf-8")), chance):
        if kept >= MODELS:
            break
        enter(project)
        try:
            package = name_of(project, path).rpartition(".")[0]
            importlib.import_module(package)
            model = vars(exchanged(project, path, tree))[name]
            model.model_json_schema
        except Exception:
            continue
        witness = next((i for i in few if view(model, pool[i]) != usual[i]), None)
        if witness is None:
            continue
        kept += 1
        why = failure(loaded(project, test, project))
        tally(result, f"model: {kind}", why is not None, f"at line {line}, seen on {shown(pool[witness])}")


def lay_out(folder, project, schemas, contracts):
    """A project with changed contracts, by path."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    settings = (project / "omnigen.toml").read_text(encoding="utf-8")
    settings = settings.replace("[project]\n", '[project]\ntargets = ["models", "validators"]\n', 1)
    (folder / "omnigen.toml").write_text(settings, encoding="utf-8")
    (folder / "refs").symlink_to((project / "refs").resolve())
    # What is no contract of the set is a neighbour that one refers to.
    (folder / "contracts").mkdir()
    for path in (project / "contracts").iterdir():
        if path.is_file() and str(path.relative_to(project)) not in contracts:
            shutil.copy(path, folder / "contracts")
    for path, schema in schemas.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(json.dumps(schema), encoding="utf-8")


def build(arguments):
    omnigen, folder = arguments
    subprocess.run([omnigen, "build", "--quiet", "--color", "never", "-j", "1", "-C", folder], capture_output=True)


def run(arguments):
    """The tests of one contract on its changed forms: (name, list of whether each is caught; nothing where it was not built)."""
    project, name, paths, folders = arguments
    project, test = pathlib.Path(project), pathlib.Path(paths["tests"])
    checked = pathlib.Path(paths["validators"]).relative_to(project)
    found = []
    for folder in map(pathlib.Path, folders):
        if not (folder / checked).is_file():
            found.append(None)
            continue
        enter(folder)
        try:
            found.append(failure(loaded(project, test, folder)) is not None)
        except Exception as error:
            # What does not even load is found as well; some errors cannot be sent to another process.
            print(f"{name}: {folder} does not load: {error!r}"[:500], file=sys.stderr, flush=True)
            found.append(True)
    return name, found


def relatives(project, entries):
    """What contracts refer to of these, by name, directly and not: changes of who refers or is referred to must not mix."""
    texts = {entry["name"]: (project / entry["contract"]).read_text(encoding="utf-8-sig") for entry in entries}
    names = {}
    for name, text in texts.items():
        schema = json.loads(text)
        own = [schema.get(key) for key in ("$id", "id")] if isinstance(schema, dict) else []
        names[name] = {f"{name}.json", *(uri.rstrip("#") for uri in own if isinstance(uri, str) and "://" in uri)}
    direct = {}
    for name, text in texts.items():
        for other, uris in names.items():
            if other != name and any(f'{uri}{end}' in text for uri in uris for end in ('"', "#")):
                direct.setdefault(name, set()).add(other)
                direct.setdefault(other, set())
    found = {}
    for name in direct:
        found[name], todo = set(), [name]
        while todo:
            fresh = direct.get(todo.pop(), set()) - found[name]
            found[name] |= fresh
            todo.extend(fresh)
    return found


def main(project, omnigen, entries):
    made = {kind: modules(project, kind) for kind in ("models", "validators", "tests")}
    work = {}
    for entry in entries:
        paths = {kind: str(found[entry["contract"]]) for kind, found in made.items() if entry["contract"] in found}
        if len(paths) == 3:
            work[entry["name"]] = (project, omnigen, entry, paths)
    results, chosen = {}, {}
    place = pathlib.Path(project).parent / "mutants-built"
    shutil.rmtree(place, ignore_errors=True)
    apart = relatives(pathlib.Path(project), [entry for _, _, entry, _ in work.values()])
    with Pool(2, maxtasksperchild=8) as pool:
        for result, changes in pool.imap_unordered(prepare, work.values()):
            results[result["name"]], chosen[result["name"]] = result, changes
            print(result["name"], result["kinds"], result["problems"], file=sys.stderr, flush=True)
        # The unchanged contract as well: what fails there does not count.
        batches, where = {}, {}
        for name, (_, _, entry, _) in work.items():
            original = json.loads((pathlib.Path(project) / entry["contract"]).read_text(encoding="utf-8-sig"))
            for number, schema in enumerate([original, *(change[3] for change in chosen[name])] if chosen[name] else []):
                folder = place / (f"{name}-{number}" if name in apart else str(number))
                for other in apart.get(name, set()) - {name}:
                    path = work[other][2]["contract"]
                    unchanged = json.loads((pathlib.Path(project) / path).read_text(encoding="utf-8-sig"))
                    batches.setdefault(folder, {})[path] = unchanged
                batches.setdefault(folder, {})[entry["contract"]] = schema
                where.setdefault(name, []).append(str(folder))
        for folder, contracts in batches.items():
            lay_out(folder, pathlib.Path(project), contracts, {entry["contract"] for entry in entries})
        pool.map(build, [(omnigen, folder) for folder in batches], chunksize=1)
        tasks = [(project, name, work[name][3], folders) for name, folders in where.items()]
        for name, found in pool.imap_unordered(run, tasks):
            if found[0] is not False:
                results[name]["problems"].append("alone in a project, its own tests fail")
                continue
            for caught, (kind, pointer, witness, _) in zip(found[1:], chosen[name], strict=True):
                if caught is not None:
                    tally(results[name], f"contract: {kind}", caught, f"at {pointer}, seen on {witness}")
    shutil.rmtree(place, ignore_errors=True)
    total, survived, problems, slow = {}, {}, {}, []
    for name in work:
        result = results[name]
        for kind, (caught, kept) in result["kinds"].items():
            row = total.setdefault(kind, [0, 0])
            row[0] += caught
            row[1] += kept
        if result["survived"]:
            survived[name] = result["survived"]
        if result["problems"]:
            problems[name] = result["problems"]
        slow.append((result.get("milliseconds", 0), name, result.get("calls", 0)))
    counts = {name: sum(kept for _, kept in result["kinds"].values()) for name, result in results.items()}
    json.dump(
        {"kinds": total, "survived": survived, "counts": counts, "problems": problems, "milliseconds": sorted(slow, reverse=True)},
        sys.stdout,
        indent=1,
    )


if __name__ == "__main__":
    given = json.loads(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8"))
    main(sys.argv[1], given["omnigen"], given["entries"])
