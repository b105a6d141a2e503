"""Floods and slow attacks, as a table: a new one is a function with `@flood`.

Arguments: `names`; or the name of a flood, the port of an h2c listener, the port of an HTTPS listener, how many clients
do it at once, for how many seconds. Each client connects again when its connection was ended. Prints what became of
their connections: how many were ended by the other side, and the codes of GOAWAY.
"""
import collections
import json
import selectors
import socket
import ssl
import struct
import sys
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 2, 3, 4, 6, 7, 8, 9
GET = b"\x82\x86\x84\x01\x09localhost"
POST = b"\x83\x86\x84\x01\x09localhost"
# HPACK bomb: a field of 3,900 bytes goes into the header table; after it the byte BE stands for all of them.
LARGE = b"\x40\x01a\x7f\xbd\x1d" + b"b" * 3900
CALM = 11
FLOODS = {}
# How many bytes are made at once.
ROUND = 32 * 1024


class Flood:
    """What a client says first, what it says again and again, and how its connection may end: the codes of GOAWAY, or
    none if it is borne. It `ends`, or it may only end sometime: what is asked for is allowed, and answered."""

    def __init__(self, first, again, codes, ends, port):
        self.first, self.again, self.codes, self.ends, self.port = first, again, codes, ends, port


def flood(codes=(), first=b"", ends=True, port="plain"):
    """Enters a function that says, for the number of a round, what is sent in it."""
    def enter(function):
        FLOODS[function.__name__] = Flood(first, function, set(codes), ends and bool(codes), port)
        return function
    return enter


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def session(*frames):
    return PREFACE + frame(SETTINGS, 0, 0) + b"".join(frames)


def many(make, number, size):
    """About `ROUND` bytes of what `make` says for the numbers of this round, `size` bytes each."""
    count = max(1, ROUND // size)
    return b"".join(make(number * count + index) for index in range(count))


def literal(name, value=b""):
    return b"\x00" + bytes([len(name)]) + name + bytes([len(value)]) + value


# Few bytes that expand to many.

@flood({CALM}, session(frame(HEADERS, 5, 1, GET + LARGE)))
def hpack_references(number):
    return frame(HEADERS, 5, 2 * number + 3, GET + b"\xbe" * 15_000)


@flood({0, 1, CALM}, session(frame(HEADERS, 5, 1, GET + LARGE)), ends=False)
def heads_above_the_cap(number):
    return many(lambda index: frame(HEADERS, 5, 2 * index + 3, GET + b"\xbe" * 60), number, 90)


@flood({0, 1, CALM}, session(frame(HEADERS, 5, 1, GET + LARGE)), ends=False)
def heads_below_the_cap(number):
    return many(lambda index: frame(HEADERS, 5, 2 * index + 3, GET + b"\xbe" * 14), number, 45)


@flood({CALM}, session(frame(HEADERS, 4, 1, POST), frame(HEADERS, 5, 3, GET + LARGE)))
def references_in_trailers(number):
    return frame(HEADERS, 4, 2 * number + 5, POST) + frame(HEADERS, 5, 2 * number + 5, b"\xbe" * 15_000)


@flood({CALM}, session())
def crumbs_of_cookies(number):
    return frame(HEADERS, 5, 2 * number + 1, GET + b"\x60\x01b" + b"\xbe" * 15_000)


@flood({0, 1, CALM}, session(), ends=False)
def small_table_entries(number):
    fields = b"".join(b"\x40\x04" + b"a%03d" % (index % 1000) + b"\x00" for index in range(1500))
    return frame(HEADERS, 5, 2 * number + 1, GET + fields)


@flood({0, 1, CALM}, session(), ends=False)
def huffman(number):
    # 25 fields, each of 896 codes of five bits.
    return frame(HEADERS, 5, 2 * number + 1, GET + (b"\x00\x01a\xff\xb1\x03" + b"\x18\xc6\x31\x8c\x63" * 112) * 25)


@flood({0, 1, CALM}, session(), ends=False)
def table_sizes(number):
    return many(lambda index: frame(HEADERS, 5, 2 * index + 1, b"\x20\x3f\xe1\x1f" + GET), number, 30)


# Useless frames.

@flood({CALM}, session())
def rapid_reset(number):
    return many(lambda index: frame(HEADERS, 5, 2 * index + 1, GET) + frame(RST_STREAM, 0, 2 * index + 1, b"\0\0\0\x08"),
                number, 36)


@flood({CALM}, session())
def made_you_reset(number):
    return many(lambda index: frame(HEADERS, 5, 2 * index + 1, GET)
                + frame(WINDOW_UPDATE, 0, 2 * index + 1, b"\x7f\xff\xff\xff"), number, 36)


@flood({CALM}, session())
def pings(number):
    return many(lambda index: frame(PING, 0, 0, b"12345678"), number, 17)


@flood({CALM}, session())
def settings(number):
    return many(lambda index: frame(SETTINGS, 0, 0, b"\0\x01\0\0\0\0\0\x01\0\0\x10\0"), number, 21)


@flood({CALM}, session())
def priorities(number):
    return many(lambda index: frame(PRIORITY, 0, 2 * index + 1, b"\0\0\0\0\x10"), number, 14)


@flood({CALM}, session())
def unknown_frames(number):
    return many(lambda index: frame(0xFA, 0, 0), number, 9)


@flood({CALM}, session(frame(HEADERS, 4, 1, POST)))
def window_updates(number):
    return many(lambda index: frame(WINDOW_UPDATE, 0, 1, b"\0\0\0\x01"), number, 13)


@flood({CALM}, session(frame(HEADERS, 4, 1, POST)))
def empty_data(number):
    return many(lambda index: frame(DATA, 0, 1), number, 9)


@flood({CALM}, session(frame(HEADERS, 4, 1, POST), frame(RST_STREAM, 0, 1, b"\0\0\0\x08")))
def data_on_closed_streams(number):
    return many(lambda index: frame(DATA, 1, 1), number, 9)


@flood({CALM}, session(frame(HEADERS, 1, 1, GET)))
def continuations(number):
    return many(lambda index: frame(CONTINUATION, 0, 1, literal(b"a", b"b" * 100)), number, 113)


# Allowed requests at the highest rate.

@flood({0, 1, CALM}, session(), ends=False)
def streams(number):
    """More requests than one connection may have open, again and again."""
    return b"".join(frame(HEADERS, 5, 2 * index + 1, GET) for index in range(number * 16, number * 16 + 16))


@flood({0, CALM}, session(frame(HEADERS, 4, 1, POST)), ends=False)
def small_data(number):
    """Goes on when its request was answered."""
    return many(lambda index: frame(DATA, 0, 1, b"x"), number, 10)


@flood()
def pipelined_requests(number):
    return b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * (ROUND // 27)


@flood()
def pipelined_large_heads(number):
    return b"GET / HTTP/1.1\r\nHost: a\r\n" + (b"X: " + b"a" * 12_000 + b"\r\n") * 5 + b"\r\n"


@flood((), b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
def small_chunks(number):
    return b"1\r\nx\r\n" * (ROUND // 6)


@flood()
def bad_requests(number):
    """Each is answered and its connection closed."""
    return b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 2\r\n\r\n"


@flood()
def connections(number):
    """A connection for every request."""
    return b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


@flood()
def silent_connections(number):
    """Silent connections, each closed at once for another."""
    return None


@flood(port="tls")
def handshakes(number):
    """A ClientHello, and nothing after it: the most expensive thing to ask for."""
    return None


def hello():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        context.wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


class Client:
    """One that does it, on one connection after the other."""

    def __init__(self, flood, port, tally):
        self.flood, self.port, self.tally = flood, port, tally
        self.hello = hello() if flood.port == "tls" else flood.first
        self.socket = None
        self.connect()

    def connect(self):
        if self.socket is not None:
            self.socket.close()
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.setblocking(False)
        try:
            self.socket.connect(("127.0.0.1", self.port))
        except BlockingIOError:
            pass
        self.tally["connections"] += 1
        self.waiting = self.hello
        self.received = b""
        self.number = 0
        self.isShort = self.flood.again(0) is None

    def step(self):
        """Sends as much as is taken and reads what has come."""
        try:
            if not self.waiting:
                if self.isShort:
                    return self.connect()
                self.waiting = self.flood.again(self.number)
                self.number += 1
            count = self.socket.send(self.waiting)
            self.tally["bytes"] += count
            self.waiting = self.waiting[count:]
        except BlockingIOError:
            pass
        except OSError:
            self.read()
            return self.connect()
        if not self.read():
            self.tally["ended"] += 1
            self.connect()

    def read(self):
        """False: the connection was ended."""
        try:
            for _ in range(4):
                received = self.socket.recv(1 << 18)
                if not received:
                    return False
                self.scan(received)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return True

    def scan(self, received):
        if not self.hello.startswith(PREFACE):
            return
        self.received += received
        index = 0
        while len(self.received) - index >= 9:
            count = int.from_bytes(self.received[index:index + 3], "big")
            if len(self.received) - index < 9 + count:
                break
            if self.received[index + 3] == GOAWAY:
                self.tally["codes"][int.from_bytes(self.received[index + 13:index + 17], "big")] += 1
            index += 9 + count
        self.received = self.received[index:]


def run(name, plain, tls, count, seconds):
    flood = FLOODS[name]
    tally = {"connections": 0, "ended": 0, "bytes": 0, "codes": collections.Counter()}
    clients = [Client(flood, tls if flood.port == "tls" else plain, tally) for _ in range(count)]
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        for client in clients:
            client.step()
    unexpected = [code for code in tally["codes"] if code not in flood.codes]
    print(json.dumps({**tally, "asExpected": not unexpected and (bool(tally["codes"]) or not flood.ends)}))


if __name__ == "__main__":
    if sys.argv[1] == "names":
        print("\n".join(FLOODS))
    else:
        run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
