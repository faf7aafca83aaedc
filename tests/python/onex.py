"""Counts what came out of ONEX contracts: arguments are the project and a JSON file {"contracts": folder, "inventory": file}.

The inventory says what a reader should find; the types are read from the contracts themselves, independently of omnigen.
stdout: {"rows": {label: [good, all]}, "wrong": [line]}.
"""

import ast
import importlib
import json
import pathlib
import re
import sys
import warnings

import yaml


class Loader(yaml.SafeLoader):
    """Keeps dates as text, and includes as what they are."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith("timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_constructor("!include", lambda loader, node: None)

PLAIN = {
    "str": "string", "string": "string", "uuid": "string", "datetime": "string", "date": "string", "enum": "string",
    "int": "integer", "integer": "integer", "float": "number", "number": "number", "bool": "boolean",
    "boolean": "boolean", "list": "array", "array": "array", "tuple": "array", "set": "array", "dict": "object",
    "object": "object", "map": "object", "objec": "object",
}


def pascal(text):
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+|[A-Z]|[0-9]+", text)
    shout = text.upper() == text and len(words) > 1
    return "".join(word[:1].upper() + (word[1:].lower() if shout else word[1:]) for word in words)


def stated(spec):
    """The JSON types that a field states; None if it states none that can be told at a glance."""
    if isinstance(spec, dict):
        if isinstance(spec.get("enum"), list) or "const" in spec:
            return None
        spec = spec.get("type", spec.get("property_type"))
    if isinstance(spec, list):
        parts = [str(part) for part in spec]
    elif isinstance(spec, str):
        if not re.fullmatch(r"[A-Za-z_.]+(\[[^()]*\])?( *\| *[A-Za-z_.]+(\[[^()]*\])?)*", spec):
            return None
        parts = re.split(r"\|(?![^\[]*\])", spec)
    else:
        return None
    kinds = set()
    for part in parts:
        head = part.strip().partition("[")[0]
        if head.lower() in ("null", "none"):
            continue
        if head.lower() not in PLAIN or head == "Literal":
            return None
        kinds.add(PLAIN[head.lower()])
    return kinds or None


def given(schema, root):
    """The JSON types that a property of a generated model has."""
    if "$ref" in schema:
        return given(root["$defs"][schema["$ref"].rpartition("/")[2]], root)
    if "anyOf" in schema:
        return set().union(*(given(part, root) for part in schema["anyOf"])) - {"null"}
    if "type" in schema:
        return {schema["type"]} - {"null"}
    if "enum" in schema or "const" in schema:
        return {"string"}
    return set()


class Counter:
    def __init__(self):
        self.rows = {}
        self.wrong = []
        # Why fields are `Any`, as far as the contract tells.
        self.reasons = {}

    def untyped(self, spec):
        if isinstance(spec, dict):
            spec = spec.get("type", spec.get("property_type"))
        if spec is None:
            why = "the contract only names them"
        elif isinstance(spec, str) and spec.strip().lower() in ("any", "object", "dict", "map", "list", "array"):
            why = "the contract states no more than a container, or anything"
        elif isinstance(spec, str) and re.match(r"[A-Z]\w*[a-z]", spec):
            why = "they are classes that only Python describes"
        else:
            why = "their types are not read"
            self.wrong.append(f"a type that is not read: {spec}")
        self.reasons[why] = self.reasons.get(why, 0) + 1

    def count(self, label, good, what):
        row = self.rows.setdefault(label, [0, 0])
        row[1] += 1
        row[0] += bool(good)
        if not good:
            self.wrong.append(f"{label}: {what}")
        return good


def specs(document):
    """Where typed fields stand: the suffix of the class, and the fields by name."""
    found = []
    for key, suffix in (("inputs", "Input"), ("outputs", "Output")):
        if isinstance(document.get(key), dict):
            found.append((suffix, document[key]))
    rules = document.get("validation_rules")
    rules = rules.get("constraint_definitions") or {} if isinstance(rules, dict) else {}
    for key, suffix in (("input_state", "InputState"), ("output_state", "OutputState")):
        state = document.get(key)
        if isinstance(state, dict):
            names = list(state.get("required") or []) + list(state.get("optional") or [])
            fields = state.get("properties") or {name: rules.get(name) for name in names}
            found.append((suffix, fields))
    for key in ("io_operations", "operations"):
        for operation in document.get(key) or []:
            if not isinstance(operation, dict):
                continue
            name = next((operation[k] for k in ("operation", "name", "operation_id", "operation_type") if k in operation), "")
            for fields, suffix in (("input_fields", "Input"), ("output_fields", "Output")):
                listed = {}
                for item in operation.get(fields) or []:
                    listed.update(item if isinstance(item, dict) else {item: None})
                if listed:
                    found.append((pascal(str(name)) + suffix, listed))
    return found


def main():
    project, settings = pathlib.Path(sys.argv[1]), json.loads(pathlib.Path(sys.argv[2]).read_text())
    warnings.simplefilter("ignore")
    sys.path.insert(0, str(project))
    modules = {}
    for path in sorted((project / "generated").rglob("*.py")):
        head = path.read_text().partition("\n")[0]
        if match := re.match(r"# Generated by omnigen from (.*?)\. Do not", head):
            kind = path.relative_to(project / "generated").parts[0]
            modules.setdefault(match[1], {})[kind] = path
    counter = Counter()
    loaded, annotated, anys, opaque = {}, 0, 0, 0
    for made in modules.values():
        for path in made.values():
            name = ".".join(path.relative_to(project).with_suffix("").parts)
            try:
                loaded[path] = importlib.import_module(name)
                counter.count("modules imported", True, name)
            except Exception as error:
                counter.count("modules imported", False, f"{name}: {error}")
        if "models" in made:
            for node in ast.walk(ast.parse(made["models"].read_text())):
                if isinstance(node, ast.AnnAssign):
                    annotated += 1
                    anys += any(isinstance(part, ast.Name) and part.id == "Any" for part in ast.walk(node.annotation))
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "TypeAliasType":
                    opaque += isinstance(node.args[1], ast.Name) and node.args[1].id == "Any"
    for entry in json.loads(pathlib.Path(settings["inventory"]).read_text()):
        file = entry["file"]
        made = modules.get("contracts/" + file, {})
        if not entry["parses"]:
            # A reader that knows no `!include` cannot read these; what is wrong with the others has to be said.
            told = made or ("contracts/" + file) in settings["told"]
            counter.count("files that plain YAML cannot read: made or told", told, file)
            continue
        silent = not made and ("contracts/" + file) not in settings["told"]
        counter.count("files with artifacts", made, file)
        if not made:
            counter.count("files without artifacts that a diagnostic tells", not silent, file)
            continue
        node, models = loaded.get(made.get("nodes")), loaded.get(made.get("models"))
        with open(pathlib.Path(settings["contracts"]) / file, encoding="utf-8") as stream:
            document = yaml.load(stream, Loader)
        if not isinstance(document, dict):
            continue
        stem = (models.__doc__ or "").partition("Types of ")[2].rstrip(".\n") if models else ""
        facts(counter, entry, node, models, stem)
        if models is None:
            continue
        if isinstance(entry.get("required_fields"), list):
            fields = {f["name"]: f for key in ("required_fields", "optional_fields") for f in document.get(key) or []}
            compare(counter, file, models, "", fields, stem)
        for suffix, fields in specs(document):
            compare(counter, file, models, suffix, fields, stem)
        for name, definition in (document.get("definitions") or {}).items():
            if isinstance(definition, dict) and isinstance(definition.get("properties"), dict):
                bare = re.sub(r"^Model(?=[A-Z])", "", name)
                compare(counter, file, models, None, definition["properties"], bare)
    counter.rows["fields of models annotated without Any"] = [annotated - anys, annotated]
    counter.rows["opaque classes of Python (aliases of Any)"] = [opaque, opaque]
    print(json.dumps({"rows": counter.rows, "wrong": counter.wrong, "reasons": counter.reasons}))


def facts(counter, entry, node, models, stem):
    """What the inventory lists beside fields."""
    file = entry["file"]

    def version(name):
        found = getattr(node, name, None)
        return ".".join(map(str, found[:3])) if found else None

    if node is not None and "node_type" in entry:
        kind = entry.get("kind")
        if kind == "other":
            # The inventory names the common kinds only.
            kind = entry["node_type"].lower().removesuffix("_generic")
        for key, wanted, value in (("name", entry.get("name"), "NAME"), ("kind", kind, "KIND")):
            value = getattr(node, value, None)
            if wanted is not None:
                counter.count("names, kinds and versions found", str(wanted) == value, f"{file}: {key} {value}")
        for key in ("contract_version", "node_version"):
            if key in entry:
                value = version(key.upper())
                counter.count("names, kinds and versions found", entry[key] == value, f"{file}: {key} {value}")
        for key, name in (("publish", "PUBLISHED_TOPICS"), ("subscribe", "SUBSCRIBED_TOPICS")):
            for topic in entry.get(key, []):
                counter.count("topics found", topic in getattr(node, name, ()), f"{file}: {topic}")
        for operation in entry.get("io_operations", []):
            values = [member.value for member in getattr(node, "Operation", [])]
            counter.count("operations found", operation in values, f"{file}: {operation}")
        if "routes" in entry:
            # The inventory leaves backends and adapters out.
            count = len(getattr(node, "ROUTES", ()))
            counter.count("routing tables with all routes", count >= entry["routes"], f"{file}: {count} {entry['routes']}")
        if entry.get("dependencies"):
            count = len(getattr(node, "DEPENDENCIES", ()))
            counter.count("dependency lists complete", count >= entry["dependencies"], f"{file}: {count}")
    for name in entry.get("definitions", []):
        names = ["Model" + re.sub(r"^Model(?=[A-Z])", "", name)]
        there = models is not None and (hasattr(models, names[0]) or name == "progress_model")
        counter.count("definitions found", there, f"{file}: {name}")
    for key, suffix in (
        ("inputs", "Input"), ("outputs", "Output"), ("input_state", "InputState"), ("output_state", "OutputState"),
        ("required_fields", ""), ("optional_fields", ""),
    ):
        model = getattr(models, f"Model{stem}{suffix}", None)
        known = {field.alias or name for name, field in getattr(model, "model_fields", {}).items()}
        for name in entry.get(key, []):
            counter.count("fields of the inventory found", name in known, f"{file}: {key} {name}")


def compare(counter, file, models, suffix, fields, stem):
    model = getattr(models, "Model" + stem + (suffix or ""), None)
    schema = model.model_json_schema(by_alias=True) if hasattr(model, "model_json_schema") else {}
    if "$ref" in schema:
        # The model refers to itself.
        schema |= schema["$defs"][schema["$ref"].rpartition("/")[2]]
    properties = schema.get("properties", {})
    for name, spec in fields.items():
        there = properties.get(str(name))
        if not counter.count("typed fields of the contracts found", there is not None, f"{file}: {suffix} {name}"):
            continue
        if not given(there, schema) and not there.get("$ref"):
            counter.untyped(spec)
        wanted = stated(spec)
        if wanted is not None:
            found = given(there, schema)
            if found == {"integer", "number"}:
                found = {"number"}
            counter.count("fields with the type that the file states", found == wanted, f"{file}: {name} {found} {wanted}")


main()
