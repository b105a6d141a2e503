"""Scripted TLS connections that execute steps, and print one line of JSON each about what they saw.

Arguments: client PORT ROOTS STEP…, or target PORT CERTIFICATE KEY STEP…; among the steps may be what is so from the
start: name=SNI (none without), alpn=A,B, version=1.2, asks (the target demands a certificate), cut (the ClientHello
comes in single bytes), twice (the client comes again with the session of the first time), pair=CERTIFICATE,KEY (what
the client shows who asks).

Steps: send=TEXT; many=COUNT (so many bytes); read (once); readall (to the end); echo=COUNT (so many bytes are sent
and must come back); end (close_notify and FIN); notify (close_notify); fin (FIN without); reset; wait=FILE (until it
is there).
A target gives back what it gets where it has no steps.
"""
import hashlib
import json
import os
import socket
import ssl
import struct
import sys
import threading
import time


def named(error):
    """The reason of an error, which Python does not know of all alerts."""
    return error.reason or str(error).partition("] ")[2].partition(" (")[0].upper().replace(" ", "_")


class Connection:
    """A TLS session whose bytes are carried by hand, so that each end can be had alone."""

    def __init__(self, sock, context, name=None, session=None, is_target=False, is_cut=False):
        self.sock, self.is_cut = sock, is_cut
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(
            self.incoming, self.outgoing, server_side=is_target, server_hostname=name, session=session)
        self.seen = {"told": []}
        self.ended = None

    def flush(self):
        data = self.outgoing.read()
        if self.is_cut:
            self.is_cut = False
            for index in range(len(data)):
                self.sock.sendall(data[index:index + 1])
        elif data:
            self.sock.sendall(data)

    def step(self, work):
        while True:
            try:
                result = work()
                self.flush()
                return result
            except ssl.SSLWantReadError:
                self.flush()
                bytes = self.sock.recv(65536)
                if bytes:
                    self.incoming.write(bytes)
                else:
                    self.incoming.write_eof()

    def handshake(self):
        self.step(self.tls.do_handshake)
        subject = dict(pair[0] for pair in (self.tls.getpeercert() or {}).get("subject", ()))
        self.seen.update(
            version=self.tls.version(), cipher=self.tls.cipher()[0], alpn=self.tls.selected_alpn_protocol(),
            reused=self.tls.session_reused, subject=subject.get("commonName"))

    def read(self):
        """The next bytes; empty at the end, whose kind is noted."""
        if self.ended:
            return b""
        try:
            bytes = self.step(lambda: self.tls.read(65536))
            if not bytes:
                self.ended = "notify"
            return bytes
        except ssl.SSLZeroReturnError:
            self.ended = "notify"
        except ssl.SSLEOFError:
            self.ended = "fin"
        except ConnectionResetError:
            self.ended = "reset"
        except ssl.SSLError as error:
            self.ended = named(error)
        return b""

    def echo(self, count):
        sent = hashlib.shake_128(b"apus").digest(count)
        received = bytearray()
        for start in range(0, count, 50000):
            piece = sent[start:start + 50000]
            self.step(lambda: self.tls.write(piece))
            while len(received) < start + len(piece):
                bytes = self.read()
                if not bytes:
                    return "%d of %d" % (len(received), count)
                received += bytes
        return "exact" if received == sent else "differs"

    def do(self, step):
        word, _, value = step.partition("=")
        told = self.seen["told"]
        if word == "send":
            self.step(lambda: self.tls.write(value.encode()))
        elif word == "many":
            for _ in range(int(value) // 50000):
                self.step(lambda: self.tls.write(b"x" * 50000))
        elif word == "read":
            told.append(self.read().decode())
        elif word == "readall":
            told.append("".join(bytes.decode() for bytes in iter(self.read, b"")))
        elif word == "echo":
            told.append(self.echo(int(value)))
        elif word in ("end", "notify"):
            try:
                self.tls.unwrap()
            except (ssl.SSLWantReadError, ssl.SSLSyscallError):
                pass
            self.flush()
            if word == "end":
                self.sock.shutdown(socket.SHUT_WR)
        elif word == "fin":
            self.sock.shutdown(socket.SHUT_WR)
        elif word == "reset":
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.sock.close()
        elif word == "wait":
            while not os.path.exists(value):
                time.sleep(0.01)

    def run(self, steps):
        self.sock.settimeout(30)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self.handshake()
            if steps is None:
                for bytes in iter(self.read, b""):
                    self.step(lambda: self.tls.write(bytes))
                self.do("end")
            for step in steps or []:
                self.do(step)
        except ssl.SSLError as error:
            self.seen["failed"] = named(error)
            # The alert goes out too.
            try:
                self.flush()
            except OSError:
                pass
        except OSError as error:
            self.seen["failed"] = type(error).__name__
        self.seen["ended"] = self.ended
        self.sock.close()


def say(seen):
    sys.stdout.write(json.dumps(seen) + "\n")
    sys.stdout.flush()


def serve(port, context, steps):
    def one(sock):
        connection = Connection(sock, context, is_target=True)
        connection.run(steps)
        # A health check only connects.
        if "version" in connection.seen or "ALERT" in connection.seen.get("failed", ""):
            connection.seen["name"] = names.get(connection.tls)
            say(connection.seen)

    with socket.create_server(("127.0.0.1", port), backlog=200) as server:
        while True:
            threading.Thread(target=one, args=(server.accept()[0],), daemon=True).start()


role, port = sys.argv[1], int(sys.argv[2])
words = sys.argv[5 if role == "target" else 4:]
kinds = ("name", "alpn", "version", "asks", "cut", "twice", "pair")
options = dict(word.partition("=")[::2] for word in words if word.partition("=")[0] in kinds)
steps = [word for word in words if word.partition("=")[0] not in kinds]
names = {}
if role == "target":
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3], sys.argv[4])
    if "asks" in options:
        context.verify_mode = ssl.CERT_REQUIRED
else:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(sys.argv[3])
    context.check_hostname = False
    if "pair" in options:
        context.load_cert_chain(*options["pair"].split(","))
if "alpn" in options:
    context.set_alpn_protocols(options["alpn"].split(","))
if options.get("version") == "1.2":
    context.maximum_version = ssl.TLSVersion.TLSv1_2
if role == "target":
    context.sni_callback = lambda tls, name, _: names.__setitem__(tls, name)
    serve(port, context, steps or None)
session = None
for _ in range(2 if "twice" in options else 1):
    client = Connection(
        socket.create_connection(("127.0.0.1", port)), context, options.get("name"), session, is_cut="cut" in options)
    client.run(steps)
    if "twice" in options:
        session = client.tls.session
    say(client.seen)
