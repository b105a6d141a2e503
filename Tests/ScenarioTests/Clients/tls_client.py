"""A ClientHello in pieces: single bytes, or a record for every 40 bytes of it; or two requests with a pause.

Arguments: bytes, records or twice, the port of an HTTPS listener, the file of the roots; then perhaps a certificate
and its key to show, and a file that ends the pause.
"""
import os
import socket
import ssl
import struct
import sys
import time

how, port, roots = sys.argv[1], int(sys.argv[2]), sys.argv[3]
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
context = ssl.create_default_context(cafile=roots)
if len(sys.argv) > 4:
    context.load_cert_chain(sys.argv[4], sys.argv[5])
session = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
connection = socket.create_connection(("127.0.0.1", port))
connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def pieces(bytes):
    if how == "twice":
        return [bytes]
    if how == "bytes":
        return [bytes[index:index + 1] for index in range(len(bytes))]
    head, message = bytes[:3], bytes[5:]
    parts = [message[index:index + 40] for index in range(0, len(message), 40)]
    return [head + struct.pack(">H", len(part)) + part for part in parts]


def step(work):
    """Does `work`, with as many exchanges of bytes as it takes."""
    while True:
        try:
            result = work()
            connection.sendall(outgoing.read())
            return result
        except ssl.SSLWantReadError:
            connection.sendall(outgoing.read())
            incoming.write(connection.recv(65536))


try:
    session.do_handshake()
except ssl.SSLWantReadError:
    for piece in pieces(outgoing.read()):
        connection.sendall(piece)
step(session.do_handshake)


def ask():
    step(lambda: session.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"))
    print(step(lambda: session.read(65536))[:12].decode(), session.version())


ask()
if how == "twice":
    while not os.path.exists(sys.argv[6]):
        time.sleep(0.01)
    ask()
