"""Scores what others make of the schemas that we are scored on.

argv: the folder of a project (unused), and a JSON file with {"suite": {draft: [{"schema", "tests": [{"data", "valid"}]}]}, "entries": [{"schema": path, "valid":
[paths], "invalid": [paths]}], "mirror": folder, "tools": [names], "quicktype": the folder of its package}.
stdout: one JSON object: per tool and draft how many tests come out right, of how many; and of how many schemas everything is
right: they generate, import, accept all valid documents and refuse all invalid ones; and how many of the accepted documents a
model gives back as they were.
"""

import contextlib
import copy
import importlib.util
import io
import json
import pathlib
import signal
import subprocess
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


class Quicktype:
    """Its generator runs beside, and is asked for one module after the other."""

    def __init__(self, package):
        script = pathlib.Path(__file__).with_name("quicktype.mjs")
        self.command = ["node", script, package]
        self.process = None

    def make(self, path, out):
        if self.process is None or self.process.poll() is not None:
            pipe = subprocess.PIPE
            self.process = subprocess.Popen(self.command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
        try:
            self.process.stdin.write(json.dumps({"schema": str(path), "out": str(out)}) + "\n")
            self.process.stdin.flush()
            problem = self.process.stdout.readline()
        except TooLong:
            self.process.kill()
            raise
        if problem != "\n":
            raise ValueError(problem)


def maker(tool, given):
    """Schema to a function that raises on invalid data and returns what became of valid data, and one that gives that back."""

    def by_fastjsonschema(schema):
        return fast(copy.deepcopy(schema), given["fetch"]), None

    def by_models(schema):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "schema.json")
            path.write_text(json.dumps(schema), encoding="utf-8")
            call = models(path, folder)
            return call, lambda model: model.model_dump(by_alias=True, exclude_unset=True, mode="json")

    def by_quicktype(schema):
        with tempfile.TemporaryDirectory() as folder:
            path, out = pathlib.Path(folder, "schema.json"), pathlib.Path(folder, "made.py")
            path.write_text(json.dumps(schema), encoding="utf-8")
            given["quicktype"].make(path, out)
            spec = importlib.util.spec_from_file_location("made", out)
            module = importlib.util.module_from_spec(spec)
            sys.modules["made"] = module
            spec.loader.exec_module(module)
            return module.root_from_dict, module.root_to_dict

    makers = {"fastjsonschema": by_fastjsonschema, "datamodel-code-generator": by_models, "quicktype": by_quicktype}
    return makers[tool]


def verdict(call, document):
    """Is it taken to be valid, and what became of it; nothing if it cannot be told."""
    try:
        with quiet():
            return True, call(copy.deepcopy(document))
    except (TooLong, RecursionError, MemoryError, AttributeError, NameError, ImportError):
        return None, None
    except Exception:
        return False, None


def make(tool, given, schema):
    try:
        with quiet():
            return maker(tool, given)(schema)
    except (Exception, SystemExit):
        return None, None


def suite(tool, given, cases):
    passed = total = 0
    for case in cases:
        total += len(case["tests"])
        call, _ = make(tool, given, case["schema"])
        if call is not None:
            passed += sum(verdict(call, test["data"])[0] is test["valid"] for test in case["tests"])
    return [passed, total]


def schemas(tool, given, entries):
    right = accepted = kept = 0
    for entry in entries:
        call, dump = make(tool, given, json.loads(pathlib.Path(entry["schema"]).read_text(encoding="utf-8-sig")))
        if call is None:
            continue
        good = True
        for path in entry["valid"]:
            document = read(path)
            valid, result = verdict(call, document)
            good = good and valid is True
            if valid:
                accepted += 1
                if dump is not None:
                    with contextlib.suppress(Exception), quiet():
                        kept += same(document, dump(result))
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

    given["fetch"] = fetch
    given["quicktype"] = Quicktype(given["quicktype"])
    result = {}
    for tool in given["tools"]:
        result[tool] = {draft: suite(tool, given, cases) for draft, cases in given["suite"].items()}
        result[tool]["schemas"] = schemas(tool, given, given["entries"])
    json.dump(result, sys.stdout, indent=1)


if __name__ == "__main__":
    main(json.loads(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8")))
