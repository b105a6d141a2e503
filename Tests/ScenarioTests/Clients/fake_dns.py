"""A name server that says what a file says, and says it badly where the file wants it.

It answers over UDP and TCP on a port of 127.0.0.1. What there is comes from a JSON file that is read for each question:
`records`, by "name TYPE" (A, AAAA, SRV, CNAME), lists of values: an address, a name, or [priority, weight, port, host];
`ttl` of all of them; `faults`, by "name TYPE" or "*". Aliases are followed, as a resolver does. Each question is a line
on standard output: udp or tcp, name, type.

Faults: SERVFAIL, REFUSED, NOTIMP, FORMERR, NXDOMAIN; empty (no record, and no SOA), nodata (no record, with the SOA of
the zone), silent, noise (random bytes), cutoff (the message ends within a record), pointer (a name that points
forward), length (an address of three bytes), other (the answer to another question), circle (aliases that lead to each
other), chain (20 aliases), lame (an alias that leads nowhere), many (3,000 addresses), cut (nothing over UDP but that
it is cut), cutsilent (the same, and TCP stays silent), cutclosed (the same, and TCP is closed), slow (the first
question is not answered, the same one a second time is).

Arguments: the port, the file's path.
"""
import json
import os
import socket
import socketserver
import struct
import sys
import threading
import time

port, state_path = int(sys.argv[1]), sys.argv[2]
TYPES = {"A": 1, "CNAME": 5, "SOA": 6, "AAAA": 28, "SRV": 33}
CODES = {"FORMERR": 1, "SERVFAIL": 2, "NXDOMAIN": 3, "NOTIMP": 4, "REFUSED": 5}
seen = set()
lock = threading.Lock()


def state():
    while True:
        try:
            with open(state_path) as file:
                return json.load(file)
        except (OSError, ValueError):
            time.sleep(0.01)


def encode(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".") if label) + b"\0"


def data(kind, value):
    if kind == "A":
        return socket.inet_pton(socket.AF_INET, value)
    if kind == "AAAA":
        return socket.inet_pton(socket.AF_INET6, value)
    if kind == "SRV":
        return struct.pack(">HHH", *value[:3]) + encode(value[3])
    return encode(value)


def record(name, kind, ttl, content):
    return encode(name) + struct.pack(">HHIH", TYPES[kind], 1, ttl, len(content)) + content


def soa(name):
    return record(name, "SOA", 1, encode("ns.test") + encode("host.test") + struct.pack(">IIIII", 1, 1, 1, 1, 1))


def answer(now, name, kind):
    """The code, the records of the answer and those of the authority."""
    ttl, all_records = now.get("ttl", 1), now.get("records", {})
    found, code = [], 0
    for _ in range(10):
        values = all_records.get(f"{name} {kind}")
        if values is not None:
            found += [record(name, kind, ttl, data(kind, value)) for value in values]
            return code, found, [] if values else [soa(name)]
        alias = all_records.get(f"{name} CNAME")
        if alias is None:
            is_there = any(key.split(" ")[0] == name for key in all_records)
            return 0 if is_there else 3, found, [soa("test")]
        found.append(record(name, "CNAME", ttl, data("CNAME", alias[0])))
        name = alias[0]
    return 2, [], []


def bad(fault, name, kind):
    """The same for a fault that is a whole message."""
    if fault in CODES:
        return CODES[fault], [], []
    if fault == "empty":
        return 0, [], []
    if fault == "nodata":
        return 0, [], [soa(name)]
    if fault == "pointer":
        return 0, [b"\xc0\xff" + struct.pack(">HHIH", 1, 1, 1, 4) + b"\x7f\0\0\1"], []
    if fault == "length":
        return 0, [record(name, "A", 1, b"\1\2\3")], []
    if fault == "circle":
        return 0, [record(name, "CNAME", 1, encode("a.test")), record("a.test", "CNAME", 1, encode(name))], []
    if fault == "chain":
        names = [name] + [f"a{index}.test" for index in range(20)]
        found = [record(one, "CNAME", 1, encode(other)) for one, other in zip(names, names[1:])]
        return 0, found + [record(names[-1], "A", 1, b"\x7f\0\0\1")], []
    if fault == "lame":
        return 0, [record(name, "CNAME", 1, encode("nowhere.test"))], []
    if fault == "many":
        return 0, [b"\xc0\x0c" + struct.pack(">HHIHI", 1, 1, 1, 4, 0x7f010000 + index) for index in range(3000)], []
    return None


def respond(query, protocol):
    """The message for a question; None for silence."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += query[at] + 1
    end = at + 5
    number = struct.unpack(">H", query[at + 1:at + 3])[0]
    name, kind = ".".join(labels).lower(), {value: key for key, value in TYPES.items()}.get(number, "?")
    print(protocol, name, kind, flush=True)
    now = state()
    faults = now.get("faults", {})
    fault = faults.get(f"{name} {kind}", faults.get("*", ""))
    question = query[12:end]
    if fault == "silent":
        return None
    if fault == "noise":
        return os.urandom(300)
    if fault == "slow":
        with lock:
            if query[:2] not in seen:
                seen.add(query[:2])
                return None
    if fault.startswith("cut") and fault != "cutoff":
        if protocol == "udp":
            return query[:2] + b"\x83\x80" + struct.pack(">HHHH", 1, 0, 0, 0) + question
        if fault == "cutsilent":
            return None
        if fault == "cutclosed":
            raise ConnectionError
    if fault == "other":
        question = encode("somethingelse.test") + query[end - 4:end]
    code, found, authority = bad(fault, name, kind) or answer(now, name, kind)
    flags = 0x8180 | code
    message = query[:2] + struct.pack(">HHHHH", flags, 1, len(found), len(authority), 0) + question
    message += b"".join(found + authority)
    if fault == "cutoff":
        message = message[:-3]
    if protocol == "udp" and len(message) > 512:
        return query[:2] + struct.pack(">HHHHH", flags | 0x200, 1, 0, 0, 0) + question
    return message


class Datagrams(socketserver.BaseRequestHandler):
    def handle(self):
        query, own = self.request
        message = respond(query, "udp")
        if message is not None:
            own.sendto(message, self.client_address)


class Streams(socketserver.StreamRequestHandler):
    def handle(self):
        try:
            while length := self.rfile.read(2):
                message = respond(self.rfile.read(struct.unpack(">H", length)[0]), "tcp")
                if message is not None:
                    self.wfile.write(struct.pack(">H", len(message)) + message)
        except OSError:
            pass


class UDPServer(socketserver.ThreadingMixIn, socketserver.UDPServer):
    daemon_threads = True


class TCPServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True
    allow_reuse_address = True


datagrams = UDPServer(("127.0.0.1", port), Datagrams)
threading.Thread(target=datagrams.serve_forever, daemon=True).start()
TCPServer(("127.0.0.1", port), Streams).serve_forever()
