"""A Docker Engine that says what a file says, and says it badly where the file wants it.

It answers GET /version, /containers/json, /containers/{id}/json and /events on a Unix socket. What there is comes from
a JSON file that is read for each request: `containers` (id, name, address, port, labels, and `fault`: what is wrong with
the answer about this one), `faults` (what is wrong with the answer of version, events, list or inspect), `lines` (lines
that /events sends to those who are connected, from the
beginning), and `epoch`, by whose change all connections of /events end.

Faults: status (500), garbage (no HTTP), notjson, wrong (JSON of another shape), truncated (half of the body), huge
(a body without end), silent (no answer), closed (no answer, and the end).

Arguments: the socket's path, the file's path.
"""
import json
import os
import socketserver
import sys
import time
import urllib.parse

socket_path, state_path = sys.argv[1:3]


def state():
    while True:
        try:
            with open(state_path) as file:
                return json.load(file)
        except (OSError, ValueError):
            time.sleep(0.01)


def inspection(container):
    state = {"Running": True, "Paused": False, "StartedAt": container.get("startedAt", "2026-01-01T00:00:00Z")}
    if "health" in container:
        state["Health"] = {"Status": container["health"]}
    return {
        "Id": container["id"], "Name": "/" + container["name"], "State": state,
        "Config": {"Labels": container.get("labels", {"app": "web"}), "ExposedPorts": {}},
        "HostConfig": {"NetworkMode": "bridge"},
        "NetworkSettings": {
            "Networks": {"bridge": {"IPAddress": container["address"]}},
            "Ports": {"80/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(container["port"])}]}},
    }


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        try:
            line = self.rfile.readline(65536).decode("latin-1").split(" ")
            while self.rfile.readline(65536) not in (b"\r\n", b"\n", b""):
                pass
            self.respond(urllib.parse.urlsplit(line[1]))
        except OSError:
            pass

    def respond(self, target):
        now = state()
        parts = [part for part in target.path.split("/") if part]
        containers = now.get("containers", [])
        if parts == ["version"]:
            self.answer("version", now, {"Version": "20.10.24", "ApiVersion": "1.41"})
        elif parts == ["events"]:
            self.events(now)
        elif parts == ["containers", "json"]:
            filters = json.loads(urllib.parse.parse_qs(target.query)["filters"][0])
            assert filters["status"] == ["running"], filters
            self.answer("list", now, [
                {"Id": container["id"], **({"Labels": container["labels"]} if "labels" in container else {})}
                for container in containers])
        elif len(parts) == 3 and parts[0] == "containers" and parts[2] == "json":
            found = [container for container in containers if container["id"] == parts[1]]
            if found and "fault" in found[0]:
                self.answer("inspect", {"faults": {"inspect": found[0]["fault"]}}, inspection(found[0]))
            elif found:
                self.answer("inspect", now, inspection(found[0]))
            else:
                self.send(404, b"{}")
        else:
            self.send(403, b"{}")

    def send(self, status, body, length=None):
        self.wfile.write(
            b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
            % (status, len(body) if length is None else length) + body)

    def answer(self, kind, now, value):
        body = json.dumps(value).encode()
        fault = now.get("faults", {}).get(kind)
        if fault is None:
            self.send(200, body)
        elif not self.fail(fault):
            self.send(200, b'{"Id": 7, "x": [[[]]]}' if fault == "wrong" else b"\xff\x00 {", None)

    def fail(self, fault):
        """Answers badly; whether it has."""
        if fault == "status":
            self.send(500, b"{}")
        elif fault == "garbage":
            self.wfile.write(os.urandom(4096) + b"\r\n\r\n")
        elif fault == "truncated":
            self.send(200, b'[{"Id": "0a"', 100)
        elif fault == "huge":
            self.wfile.write(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n")
            while True:
                self.wfile.write(b"10000\r\n" + b"[" * 65536 + b"\r\n")
        elif fault == "silent":
            time.sleep(60)
        elif fault != "closed":
            return False
        return True

    def events(self, now):
        fault = now.get("faults", {}).get("events")
        if fault is not None:
            if not self.fail(fault):
                self.wfile.write(
                    b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n7x\n\r\n"
                    if fault == "notjson" else b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n[]\n\r\n")
                time.sleep(60)
            return
        epoch, sent = now.get("epoch"), 0
        self.wfile.write(b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            now = state()
            if now.get("epoch") != epoch:
                return
            for line in now.get("lines", [])[sent:]:
                sent += 1
                data = line.encode() + b"\n"
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            time.sleep(0.01)


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 128


if os.path.exists(socket_path):
    os.unlink(socket_path)
Server(socket_path, Handler).serve_forever()
