"""Runs generated validators and models on documents that are known to be valid or invalid.

stdin: a JSON list of {"documents": path, "module": name}. Ends with 1 and one line a finding if any is wrong.
The documents of a contract without a root stand under the names of what they are for: {"Pet": {"valid": [], "invalid": []}}.
Where valid documents can become several classes, "classes" has their names in the same order.
"""

import importlib
import json
import sys


def same(left, right):
    """JSON equality: 1 is 1.0, but not true."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


def fresh(package, module):
    """The module, imported as the first of its package: every module must work as the way in."""
    for name in [name for name in sys.modules if name == package or name.startswith(package + ".")]:
        del sys.modules[name]
    return importlib.import_module(module)


def validator_of(module):
    found = [
        value
        for name, value in vars(module).items()
        if isinstance(value, type) and name.startswith("Validator") and value.__module__ == module.__name__
    ]
    assert len(found) == 1, f"{module.__name__}: {found}"
    return found[0]


def check(entry):
    with open(entry["documents"], encoding="utf-8") as file:
        documents = json.load(file)
    package = entry["module"].partition(".")[0]
    module = fresh(package, entry["module"])
    assert "pydantic" not in sys.modules or entry["warm"], "checking alone must not load pydantic"
    if "valid" in documents:
        yield from check_one(module, validator_of(module), module.accepts, documents)
        return
    for name, own in documents.items():
        validator = getattr(module, "Validator" + name)
        for finding in check_one(module, validator, lambda data: not validator.errors(data), own):
            yield f"{name}: {finding}"


def dump(module, validator, model):
    """The model as JSON data, and the same read again."""
    if hasattr(model, "model_dump"):
        dumped = model.model_dump(by_alias=True, exclude_unset=True, mode="json")
        return dumped, type(model).model_validate(dumped)
    from pydantic import TypeAdapter

    models = importlib.import_module(module.__name__.replace("validator", "model"))
    adapter = TypeAdapter(getattr(models, validator.validate.__annotations__["return"]))
    dumped = adapter.dump_python(model, by_alias=True, exclude_unset=True, mode="json")
    return dumped, adapter.validate_python(dumped)


def check_one(module, validator, accepts, documents):
    for data, name in zip(documents["valid"], documents.get("classes", documents["valid"])):
        shown = json.dumps(data, ensure_ascii=False)
        if issues := validator.errors(data):
            yield f"valid, but has errors: {shown}: {issues}"
            continue
        if not accepts(data):
            yield f"valid, but not accepted by the fast pass: {shown}"
        try:
            model = validator.validate(data)
        except Exception as error:
            yield f"valid, but no model: {shown}: {error!r}"
            continue
        if "classes" in documents and type(model).__name__ != name:
            yield f"becomes {type(model).__name__}, not {name}: {shown}"
        dumped, reread = dump(module, validator, model)
        if not same(dumped, data):
            yield f"comes back changed: {shown} -> {json.dumps(dumped, ensure_ascii=False)}"
        if reread != model:
            yield f"not equal after a round trip: {shown}"
    for document in documents["invalid"]:
        data, place = document["data"], (document["pointer"], document["keyword"])
        shown = json.dumps(data, ensure_ascii=False)
        issues = validator.errors(data)
        places = [(issue["pointer"], issue["keyword"]) for issue in issues]
        if place not in places:
            yield f"invalid at {place}, but the errors are {places}: {shown}"
        if not all(issue["message"] for issue in issues):
            yield f"an error without a message: {shown}"
        if accepts(data):
            yield f"invalid, but accepted by the fast pass: {shown}"
        try:
            validator.validate(data)
        except ValueError as error:
            if getattr(error, "issues", None) != issues:
                yield f"the exception has other issues than `errors`: {shown}"
        else:
            yield f"invalid, but gives a model: {shown}"


def main():
    sys.path.insert(0, "")
    findings = []
    for index, entry in enumerate(json.load(sys.stdin)):
        entry["warm"] = index > 0
        try:
            findings += [f"{entry['module']}: {finding}" for finding in check(entry)]
        except Exception as error:
            findings.append(f"{entry['module']}: {type(error).__name__}: {error}")
    print("\n".join(findings))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
