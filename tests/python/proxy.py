"""Stands between a client and a model's server, and misbehaves on demand.

usage: proxy.py UPSTREAM. Says its address in a line, then a line of JSON for each request. The first part of a path lists what happens to
the requests below it, one after the other, the last one for all that follow: `/429,500,pass/v1/chat/completions`.
"""

import base64
import json
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

UPSTREAM = sys.argv[1]
COUNTS: dict[str, int] = {}
SAYING = threading.Lock()
OK = {"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}]}


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        _, faults, *rest = self.path.split("/")
        body = self.rfile.read(int(self.headers["content-length"]))
        number = COUNTS[faults] = COUNTS.get(faults, 0) + 1
        steps = faults.split(",")
        fault = steps[min(number, len(steps)) - 1]
        seen = {
            "fault": fault,
            "at": time.monotonic(),
            "path": "/".join(rest),
            "key": self.headers["authorization"],
            "body": json.loads(body),
        }
        with SAYING:
            print(json.dumps(seen), flush=True)
        try:
            getattr(self, "do_" + fault.replace("-", "_"), self.status)(fault, "/".join(rest), body)
        except (BrokenPipeError, ConnectionResetError):
            pass
        self.close_connection = True

    def send(self, status: int, kind: str, body: bytes, length: int | None = None, **headers: str) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def upstream(self, path: str, body: bytes) -> tuple[int, str, bytes]:
        request = urllib.request.Request(f"{UPSTREAM}/{path}", body, {"content-type": "application/json"})
        if key := self.headers["authorization"]:
            request.add_header("authorization", key)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.headers["content-type"], answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers["content-type"], error.read()

    def do_pass(self, _: str, path: str, body: bytes) -> None:
        self.send(*self.upstream(path, body))

    def do_late(self, fault: str, path: str, body: bytes) -> None:
        time.sleep(1)
        self.do_pass(fault, path, body)

    def status(self, fault: str, *_: object) -> None:
        """Just a status; its text repeats the key."""
        self.send(int(fault), "text/plain", f"no, {self.headers['authorization']}".encode(), retry_after="1")

    def do_hang(self, *_: object) -> None:
        time.sleep(60)

    def do_drip(self, *_: object) -> None:
        """Never silent, never done."""
        self.send(200, "text/event-stream", b"", length=1 << 30)
        while True:
            self.wfile.write(b": wait\n\n")
            self.wfile.flush()
            time.sleep(0.05)

    def do_empty(self, *_: object) -> None:
        """Goes away without a word."""

    def do_cut(self, _: str, path: str, body: bytes) -> None:
        status, kind, answer = self.upstream(path, body)
        self.send(status, kind, answer[: len(answer) // 2], length=len(answer))

    def do_noise(self, *_: object) -> None:
        self.send(200, "application/json", bytes(range(256)) * 8)

    def do_page(self, *_: object) -> None:
        self.send(200, "text/html", b"<html>Sign in</html>")

    def do_strange(self, *_: object) -> None:
        self.send(200, "application/json", b'{"choices": []}')

    def do_flood(self, *_: object) -> None:
        self.send(200, "application/json", b"", length=1 << 40)
        while True:
            self.wfile.write(b" " * (1 << 20))

    def do_moved(self, *_: object) -> None:
        self.send(302, "text/plain", b"", location="http://127.0.0.1:1/")

    def do_events_bad(self, *_: object) -> None:
        self.send(200, "text/event-stream", b'data: {"choices": [{"delta": {"content": "a"}}]}\n\ndata: {"choices"\n\n')

    def do_events_end(self, *_: object) -> None:
        self.send(200, "text/event-stream", b'data: {"choices": [{"delta": {"content": "a"}}]}\n\n')

    def do_events_error(self, *_: object) -> None:
        self.send(200, "text/event-stream", b'data: {"error": {"message": "out of memory"}}\n\n')

    def do_refuses(self, *_: object) -> None:
        answer = {"choices": [{"message": {"refusal": "I cannot."}, "finish_reason": "stop"}]}
        self.send(200, "application/json", json.dumps(answer).encode())

    def do_telling(self, *_: object) -> None:
        """What the schema wants; but with the key in it, which only who reads the escapes sees."""
        key = "".join(f"\\u{ord(char):04x}" for char in self.headers["authorization"])
        answer = {"choices": [{"message": {"content": f'{{"text": "{key}"}}'}, "finish_reason": "stop"}]}
        self.send(200, "application/json", json.dumps(answer).encode())

    def do_wordy(self, *_: object) -> None:
        """An error as long as that the key stands where a message is cut, and as base64."""
        key = self.headers["authorization"]
        noise = "." * (300 - len("no, ") - len(key) // 2)
        self.send(400, "text/plain", f"no, {noise}{key}{base64.b64encode(key.encode()).decode()}".encode())

    def do_free(self, *_: object) -> None:
        """A whole reply that is not what the schema wants."""
        self.send(200, "application/json", json.dumps(OK).encode())


# The whole project asks at once.
ThreadingHTTPServer.request_queue_size = 128
server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(f"http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
