"""Scores a generated project against documents that are known to be valid or invalid.

argv: the project's folder, and a JSON file with a list of {"name", "stem", "valid": [paths], "invalid": [paths]}.
stdout: one JSON object with the counts and, per name, what is wrong.
"""

import ast
import importlib
import json
import pathlib
import sys
import tomllib

import yaml

sys.setrecursionlimit(10_000)


class Loader(yaml.SafeLoader):
    """YAML 1.2's booleans, and no dates: what JSON can hold."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":timestamp", ":bool"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver("tag:yaml.org,2002:bool", __import__("re").compile("^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF"))


def plain(value):
    if isinstance(value, dict):
        return {key if isinstance(key, str) else json.dumps(key): plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


def read(path):
    text = pathlib.Path(path).read_text(encoding="utf-8-sig")
    if path.endswith((".yaml", ".yml")):
        return plain(yaml.load(text, Loader))
    if path.endswith(".toml"):
        return plain(tomllib.loads(text))
    return json.loads(text)


def same(left, right):
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


def annotations(path):
    """Fields of all classes of a module: how many, and how many of them mention Any."""
    fields = untyped = 0
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ClassDef):
            for statement in node.body:
                if isinstance(statement, ast.AnnAssign) and statement.target.id not in ("model_config", "__pydantic_extra__"):
                    fields += 1
                    untyped += any(isinstance(part, ast.Name) and part.id == "Any" for part in ast.walk(statement.annotation))
    return fields, untyped


def main(project, entries):
    sys.path.insert(0, project)
    counts = dict.fromkeys(
        ["schemas", "generated", "imported", "accept_all", "with_invalid", "reject_all", "documents", "accepted", "kept", "fields", "untyped"], 0
    )
    wrong = {}
    for entry in entries:
        problems = []
        counts["schemas"] += 1
        stem = entry["stem"]
        folder = pathlib.Path(project, "generated")
        model_path = folder / "models" / f"model_{stem}.py"
        paths = [model_path, folder / "validators" / f"validator_{stem}.py", folder / "tests" / f"test_{stem}.py"]
        if not all(path.exists() for path in paths):
            wrong[entry["name"]] = ["not generated"]
            continue
        counts["generated"] += 1
        fields, untyped = annotations(model_path)
        counts["fields"] += fields
        counts["untyped"] += untyped
        try:
            models = importlib.import_module(f"generated.models.model_{stem}")
            validators = importlib.import_module(f"generated.validators.validator_{stem}")
            importlib.import_module(f"generated.tests.test_{stem}")
        except Exception as error:
            wrong[entry["name"]] = [f"import: {error!r}"[:300]]
            continue
        counts["imported"] += 1
        validator = next(v for n, v in vars(validators).items() if n.startswith("Validator") and isinstance(v, type))
        all_right = True
        for path in entry["valid"]:
            try:
                document = read(path)
            except Exception as error:
                problems.append(f"unreadable {pathlib.Path(path).name}: {error!r}"[:200])
                continue
            counts["documents"] += 1
            try:
                if issues := validator.errors(document):
                    problems.append(f"refused {pathlib.Path(path).name}: {issues[:2]}"[:300])
                    all_right = False
                    continue
                dumped = validator.validate(document).model_dump(by_alias=True, exclude_unset=True, mode="json")
            except Exception as error:
                problems.append(f"model {pathlib.Path(path).name}: {error!r}"[:300])
                all_right = False
                continue
            counts["accepted"] += 1
            if same(document, dumped):
                counts["kept"] += 1
            else:
                problems.append(f"changed {pathlib.Path(path).name}")
        counts["accept_all"] += all_right
        if entry["invalid"]:
            counts["with_invalid"] += 1
            passed = []
            for path in entry["invalid"]:
                try:
                    if not validator.errors(read(path)):
                        passed.append(pathlib.Path(path).name)
                except Exception as error:
                    passed.append(f"{pathlib.Path(path).name}: {error!r}"[:200])
            counts["reject_all"] += not passed
            problems.extend(f"not refused {name}" for name in passed)
        if problems:
            wrong[entry["name"]] = problems
    json.dump({"counts": counts, "wrong": wrong}, sys.stdout, indent=1)


main(sys.argv[1], json.load(open(sys.argv[2], encoding="utf-8")))
