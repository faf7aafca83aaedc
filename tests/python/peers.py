"""Scores what others make of the schemas that we are scored on.

argv: the folder of a project (unused), and a JSON file with {"suite": {draft: [{"schema", "tests": [{"data", "valid"}]}]}, "entries": [{"schema": path, "valid":
[paths], "invalid": [paths]}], "mirror": folder}.
stdout: one JSON object: per tool and draft how many tests come out right, of how many; and of how many schemas everything is
right: they generate, import, accept all valid documents and refuse all invalid ones; and how many of the accepted documents a
model gives back as they were.
"""

import contextlib
import copy
import io
import json
import pathlib
import signal
import sys
import tempfile
import urllib.parse
import warnings

from conformance import read, same
from speed import fast, models

SECONDS = 20
sys.setrecursionlimit(3_000)


class TooLong(Exception):
    pass


def stop(*_):
    raise TooLong


@contextlib.contextmanager
def quiet():
    signal.alarm(SECONDS)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        signal.alarm(0)


def maker(tool, fetch):
    """Schema to a function that raises on invalid data and returns what became of valid data."""

    def by_fastjsonschema(schema):
        return fast(copy.deepcopy(schema), fetch)

    def by_models(schema):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "schema.json")
            path.write_text(json.dumps(schema), encoding="utf-8")
            return models(path, folder)

    return {"fastjsonschema": by_fastjsonschema, "datamodel-code-generator": by_models}[tool]


def verdict(call, document):
    """Is it taken to be valid, and what became of it; nothing if it cannot be told."""
    try:
        with quiet():
            return True, call(copy.deepcopy(document))
    except (TooLong, RecursionError, MemoryError, AttributeError, NameError, ImportError):
        return None, None
    except Exception:
        return False, None


def make(tool, fetch, schema):
    try:
        with quiet():
            return maker(tool, fetch)(schema)
    except (Exception, SystemExit):
        return None


def suite(tool, fetch, cases):
    passed = total = 0
    for case in cases:
        total += len(case["tests"])
        call = make(tool, fetch, case["schema"])
        if call is not None:
            passed += sum(verdict(call, test["data"])[0] is test["valid"] for test in case["tests"])
    return [passed, total]


def schemas(tool, fetch, entries):
    right = accepted = kept = 0
    for entry in entries:
        call = make(tool, fetch, json.loads(pathlib.Path(entry["schema"]).read_text(encoding="utf-8-sig")))
        if call is None:
            continue
        good = True
        for path in entry["valid"]:
            document = read(path)
            valid, result = verdict(call, document)
            good = good and valid is True
            if valid:
                accepted += 1
                if hasattr(result, "model_dump"):
                    with contextlib.suppress(Exception):
                        kept += same(document, result.model_dump(by_alias=True, exclude_unset=True, mode="json"))
        for path in entry["invalid"]:
            good = good and verdict(call, read(path))[0] is False
        right += good
    return {"right": right, "schemas": len(entries), "accepted": accepted, "kept": kept}


def main(given):
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, stop)
    mirror = pathlib.Path(given["mirror"])

    def fetch(uri):
        parts = urllib.parse.urlsplit(uri)
        path = mirror / parts.netloc / parts.path.lstrip("/")
        return json.loads(path.read_text(encoding="utf-8-sig"))

    result = {}
    for tool in ("datamodel-code-generator", "fastjsonschema"):
        result[tool] = {draft: suite(tool, fetch, cases) for draft, cases in given["suite"].items()}
        result[tool]["schemas"] = schemas(tool, fetch, given["entries"])
    json.dump(result, sys.stdout, indent=1)


if __name__ == "__main__":
    main(json.loads(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8")))
