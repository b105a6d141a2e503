"""Raw HTTP/2 frames, for what no library does. Arguments: what to do, the port of an h2c listener.

The frames are written by hand; the header blocks use HPACK's static table and literals (RFC 7541 §6, appendix A).
"""
import socket
import struct
import sys
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
GET = b"\x82\x86\x84\x01\x09localhost"
POST = b"\x83\x86\x84\x01\x09localhost"


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


class Client:
    def __init__(self, port, settings=b""):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.received = b""
        self.code = None
        self.ended = False
        self.socket.sendall(PREFACE + frame(SETTINGS, 0, 0, settings))

    def frames(self, timeout=0.0):
        """What has come, whole frames only."""
        self.socket.settimeout(timeout or 0.000001)
        try:
            bytes = self.socket.recv(1 << 20)
            self.ended = not bytes
            self.received += bytes
        except (TimeoutError, BlockingIOError):
            pass
        except ConnectionError:
            self.ended = True
        while len(self.received) >= 9:
            count = int.from_bytes(self.received[:3], "big")
            if len(self.received) < 9 + count:
                return
            kind, flags = self.received[3], self.received[4]
            stream = int.from_bytes(self.received[5:9], "big")
            payload, self.received = self.received[9:9 + count], self.received[9 + count:]
            if kind == GOAWAY:
                self.code = int.from_bytes(payload[4:8], "big")
            yield kind, flags, stream, payload


def bomb(port):
    """CVE-2026-49975: few bytes become large heads on as many streams as there may be, held by windows of zero that
    single bytes open."""
    client = Client(port, struct.pack(">HI", 4, 0))
    large = b"\x40\x01a\x7f\xa1\x1e" + b"x" * 4000  # a literal of 4,000 bytes that enters the dynamic table
    first = GET + large + b"\xbe" * 13
    again = GET + b"\xbe" * 14
    for index in range(100):
        client.socket.sendall(frame(HEADERS, 5, 2 * index + 1, again if index else first))
    refused = set()
    began = time.monotonic()
    while time.monotonic() - began < 3 and not client.ended:
        for kind, _, stream, payload in client.frames(0.1):
            if kind == RST_STREAM and payload == b"\x00\x00\x00\x07":
                refused.add(stream)
        if time.monotonic() - began < 2.5:
            client.socket.sendall(b"".join(frame(WINDOW_UPDATE, 0, 1 + 2 * index, b"\x00\x00\x00\x01")
                                           for index in range(0, 5)))
    print("open", 100 - len(refused), "ended", client.ended, "goaway", client.code)


def many_requests(port):
    """More requests than one connection takes: all up to the one that the last GOAWAY names are answered."""
    client = Client(port)
    answered, last, sent = set(), None, 0
    while not client.ended:
        if last is None and len(answered) == sent:
            client.socket.settimeout(10)
            client.socket.sendall(b"".join(
                frame(HEADERS, 5, 2 * index + 1, GET) for index in range(sent, sent + 100)))
            sent += 100
        for kind, flags, stream, payload in client.frames(5):
            if kind in (DATA, HEADERS) and flags & 1:
                answered.add(stream)
            if kind == PING and not flags & 1:
                client.socket.sendall(frame(PING, 1, 0, payload))
            if kind == SETTINGS and not flags & 1:
                client.socket.sendall(frame(SETTINGS, 1, 0))
            if kind == GOAWAY and payload[:4] != b"\x7f\xff\xff\xff":
                last = int.from_bytes(payload[:4], "big")
    expected = set(range(1, (last or 0) + 1, 2))
    print("lost", len(expected - answered), "beyond", 10_000 <= len(expected) <= 10_200, "code", client.code)


def faults(port):
    """Invalid requests, each on its own stream: the connection stays open. The last one is valid."""
    client = Client(port)

    def literal(name, value):
        return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value

    blocks = [
        GET + literal(b"connection", b"close"), GET + literal(b"X-Upper", b"1"), GET + literal(b"a", b"b\rc"),
        GET[:3] + literal(b"host", b"a") + literal(b"host", b"b"), POST + literal(b"content-length", b"5"),
        GET,
    ]
    for index, block in enumerate(blocks):
        client.socket.sendall(frame(HEADERS, 5, 2 * index + 1, block))
    answered, began = set(), time.monotonic()
    while len(answered) < len(blocks) and not client.ended and time.monotonic() - began < 10:
        answered |= {(kind, stream) for kind, _, stream, _ in client.frames(0.1) if kind in (HEADERS, RST_STREAM)}
    print("reset", sum(kind == RST_STREAM for kind, _ in answered), "ended", client.ended)


def closed_window(port):
    """A response that waits for a window that never opens, and is then cancelled."""
    client = Client(port, struct.pack(">HI", 4, 0))
    client.socket.sendall(frame(HEADERS, 5, 1, GET))
    heads = 0
    began = time.monotonic()
    while time.monotonic() - began < 2:
        heads += sum(kind == HEADERS for kind, _, _, _ in client.frames(0.1))
    client.socket.sendall(frame(RST_STREAM, 0, 1, b"\x00\x00\x00\x08"))
    print("heads", heads)


def no_window(port):
    """60 requests whose answers may not be sent: the window of every stream is 0."""
    client = Client(port, struct.pack(">HI", 4, 0))
    time.sleep(0.1)
    client.socket.sendall(b"".join(frame(HEADERS, 5, 1 + 2 * number, GET) for number in range(60)))
    time.sleep(1)


def no_windows(port):
    """So many connections, the third argument, of 120 requests each whose answers may not be sent, until it is
    killed."""
    clients = [Client(port, struct.pack(">HI", 4, 0)) for _ in range(int(sys.argv[3]))]
    for client in clients:
        client.socket.sendall(b"".join(frame(HEADERS, 5, 1 + 2 * number, GET) for number in range(120)))
    while True:
        for client in clients:
            list(client.frames())
        time.sleep(0.1)


def withdrawn(port):
    """Three streams under way and three behind them that wait; the first of each are withdrawn together."""
    client = Client(port)
    held = b"\x82\x86\x04\x05/held\x01\x09localhost"
    client.socket.sendall(b"".join(frame(HEADERS, 5, stream, held) for stream in (1, 3, 5)))
    time.sleep(0.2)
    client.socket.sendall(b"".join(frame(HEADERS, 5, stream, GET) for stream in (7, 9, 11)))
    answered, began = set(), time.monotonic()
    while time.monotonic() - began < 0.5:
        answered |= {stream for kind, _, stream, _ in client.frames(0.1) if kind == HEADERS}
    waited = not answered
    client.socket.sendall(b"".join(frame(RST_STREAM, 0, stream, b"\0\0\0\x08") for stream in (1, 7)))
    while len(answered) < 2 and time.monotonic() - began < 10:
        answered |= {stream for kind, _, stream, _ in client.frames(0.1) if kind == HEADERS}
    print("waited", waited, "answered", sorted(answered))


def steady(port):
    """A large response that is read steadily and slowly, with windows wide open: the kernel's buffers are full."""
    client = Client(port, struct.pack(">HI", 4, 1 << 30))
    client.socket.sendall(frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1 << 30)) + frame(HEADERS, 5, 1, GET))
    began = time.monotonic()
    while time.monotonic() - began < 6:
        time.sleep(0.1)  # the pace: 200 kB/s
        if not client.socket.recv(20_000):
            print("ended")
            return
    print("alive")


def pings(port):
    """A PING every 0.2 s on a connection without streams, until it is ended."""
    client = Client(port)
    began = time.monotonic()
    while not client.ended and time.monotonic() - began < 10:
        try:
            client.socket.sendall(frame(PING, 0, 0, b"12345678"))
        except ConnectionError:
            break
        list(client.frames())
        time.sleep(0.2)  # the pace: slower than a flood
    print("goaway", client.code)


def overrun(port):
    """More DATA than any window lets through, in one piece, on streams whose target is not connected."""
    codes = []
    for count in (5, 8, 20, 60):
        client = Client(port)
        client.socket.sendall(frame(HEADERS, 4, 1, POST))
        try:
            client.socket.sendall(frame(DATA, 0, 1, b"a" * 16000) * count)
        except ConnectionError:
            pass
        while not client.ended and not codes[-1:] == [(count, 3)]:
            codes += [
                (count, int.from_bytes(payload, "big"))
                for kind, _, stream, payload in client.frames(5) if kind == RST_STREAM
            ]
    print(*(f"{count}:{code}" for count, code in codes))


def last_words(port):
    """What is said about a request that does not end before the server does."""
    client = Client(port)
    client.socket.sendall(frame(HEADERS, 5, 1, GET))
    words = []
    while not client.ended:
        words += [(kind, stream) for kind, _, stream, _ in client.frames(20)]
    print("reset" if (RST_STREAM, 1) in words else "silent", words.count((GOAWAY, 0)))


def preface(port):
    """The preface in two pieces."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(PREFACE[:10])
    time.sleep(0.05)
    connection.sendall(PREFACE[10:] + frame(SETTINGS, 0, 0))
    connection.settimeout(5)
    print("settings", connection.recv(9)[3] == SETTINGS)


globals()[sys.argv[1]](int(sys.argv[2]))
