"""Times generated validators on valid documents, beside what others make of the same schemas.

argv: the project's folder, and a JSON file with {"entries": [{"name", "contract", "valid": [paths]}], "mirror": folder}.
stdout: one JSON object, per name the microseconds that one pass over all of its valid documents takes, or why there are none.

Each figure is the best of several rounds, and in a round all contestants take turns, so that a busy moment hits all of them.
fastjsonschema fills in no defaults here, which is its faster mode.
"""

import contextlib
import copy
import importlib.util
import io
import json
import pathlib
import sys
import tempfile
import time
import urllib.parse
import warnings

from conformance import load, modules, read, validator_of

ROUNDS = 9
SECONDS = 0.02


def generated(project, entry, validators):
    validator = validator_of(load(project, validators[entry["contract"]]))
    return validator.errors, validator.validate


def fast(schema, fetch):
    import fastjsonschema

    handlers = {"http": fetch, "https": fetch, "": fetch}
    return fastjsonschema.compile(schema, handlers=handlers, use_default=False)


def rust(schema, fetch):
    import jsonschema_rs

    return jsonschema_rs.validator_for(schema, validate_formats=True, retriever=fetch).is_valid


def models(path, folder):
    import datamodel_code_generator as generator

    output = pathlib.Path(folder, "made.py")
    generator.generate(
        pathlib.Path(path),
        input_file_type=generator.InputFileType.JsonSchema,
        output=output,
        output_model_type=generator.DataModelType.PydanticV2BaseModel,
        class_name="Root",
        disable_timestamp=True,
    )
    spec = importlib.util.spec_from_file_location("made", output)
    module = importlib.util.module_from_spec(spec)
    sys.modules["made"] = module
    spec.loader.exec_module(module)
    names = [name for name in vars(module) if name == "Root" or name.startswith("Root")]
    return getattr(module, "Root" if "Root" in names else names[-1]).model_validate


def timed(calls, documents):
    """Microseconds a pass over the documents, for each of the calls."""
    best = [float("inf")] * len(calls)
    loops = []
    for call in calls:
        count, spent = 1, 0.0
        while spent < SECONDS:
            start = time.perf_counter()
            for _ in range(count):
                for document in documents:
                    call(document)
            spent = time.perf_counter() - start
            if spent < SECONDS:
                count = max(count * 2, int(count * SECONDS / max(spent, 1e-7)))
        loops.append(count)
    for _ in range(ROUNDS):
        for at, (call, count) in enumerate(zip(calls, loops)):
            start = time.perf_counter()
            for _ in range(count):
                for document in documents:
                    call(document)
            best[at] = min(best[at], (time.perf_counter() - start) / count * 1e6)
    return best


def main(project, given):
    sys.path.insert(0, project)
    warnings.simplefilter("ignore")
    mirror = pathlib.Path(given["mirror"])

    def fetch(uri):
        parts = urllib.parse.urlsplit(uri)
        path = mirror / parts.netloc / parts.path.lstrip("/")
        return json.loads(path.read_text(encoding="utf-8-sig"))

    validators = modules(project, "validators")
    result = {}
    for entry in given["entries"]:
        path = pathlib.Path(project, entry["contract"])
        schema = json.loads(path.read_text(encoding="utf-8-sig"))
        documents = [read(document) for document in entry["valid"]]
        calls, absent = {}, {}
        with tempfile.TemporaryDirectory() as folder:
            makers = {
                "errors": lambda: generated(project, entry, validators)[0],
                "fastjsonschema": lambda: fast(copy.deepcopy(schema), fetch),
                "validate": lambda: generated(project, entry, validators)[1],
                "datamodel-code-generator": lambda: models(path, folder),
                "jsonschema-rs": lambda: rust(schema, fetch),
            }
            for name, make in makers.items():
                try:
                    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                        call = make()
                        for document in documents:
                            said = call(copy.deepcopy(document))
                            if said is False or (name == "errors" and said):
                                raise ValueError("it refuses a valid document")
                    calls[name] = call
                except (Exception, SystemExit) as error:
                    absent[name] = f"{type(error).__name__}: {error}".splitlines()[0][:120]
        figures = dict(zip(calls, timed(list(calls.values()), documents)))
        size = sum(len(json.dumps(document)) for document in documents)
        result[entry["name"]] = {"schema": path.stat().st_size, "documents": size, "us": figures, "absent": absent}
    json.dump(result, sys.stdout, indent=1)


if __name__ == "__main__":
    main(sys.argv[1], json.loads(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8")))
