"""Writes a page about a contract. Shows that an agent needs no library."""

import json
import sys


def say(**line):
    print(json.dumps(line), flush=True)


def need(**what):
    say(type="need", **what)
    return json.loads(sys.stdin.readline()).get("artifact")


task = json.loads(sys.stdin.readline())
say(type="initialized")
models = need(target="models")
lines = [f"# {task['context']['title']}", ""]
lines += [f"- `{file['path']}`" for file in models["files"]] if models else ["No models."]
say(type="artifact", path=task["task"]["outputs"][0], text="\n".join(lines) + "\n")
say(type="completed", score=1)
