"""QUIC: a target that gives back what a stream has brought, or a client that sends so many bytes and gets them back.

Arguments: target PORT CERTIFICATE KEY [SERVERID], or client PORT ROOTS BYTES [moves]. A target takes connections of TCP
on the same port, for health checks; with SERVERID, 16 hexadecimal digits, its connection IDs have that behind their
first byte. A client that moves sends the second half from another port.
"""
import asyncio
import hashlib
import os
import socket
import sys
import threading

import aioquic.quic.connection
from aioquic.asyncio import connect, serve
from aioquic.quic.configuration import QuicConfiguration

# Bytes of a connection ID with a server id; aioquic asks for so many random bytes for nothing else.
CONNECTION_ID = 17


class ServerIDs:
    """In place of `os` in aioquic: its connection IDs get the server's id."""

    def __init__(self, server):
        self.server = server

    def urandom(self, count):
        if count != CONNECTION_ID:
            return os.urandom(count)
        return b"\0" + self.server + os.urandom(count - 1 - len(self.server))


def check(port):
    with socket.create_server(("127.0.0.1", port), backlog=100) as listener:
        while True:
            listener.accept()[0].close()


async def answer(reader, writer):
    writer.write(await reader.read())
    writer.write_eof()


async def target(port, certificate, key, server=None):
    configuration = QuicConfiguration(is_client=False, alpn_protocols=["echo"])
    if server:
        aioquic.quic.connection.os = ServerIDs(bytes.fromhex(server))
        configuration.connection_id_length = CONNECTION_ID
    configuration.load_cert_chain(certificate, key)
    await serve(
        "127.0.0.1", port, configuration=configuration,
        stream_handler=lambda reader, writer: asyncio.ensure_future(answer(reader, writer)))
    threading.Thread(target=check, args=(port,), daemon=True).start()
    await asyncio.Event().wait()


async def move(connection):
    """Has a connection send from another port, as after a change of networks."""
    other = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    other.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    other.bind(("::", 0))
    await asyncio.get_running_loop().create_datagram_endpoint(lambda: connection, sock=other)


async def client(port, roots, count, moves):
    configuration = QuicConfiguration(is_client=True, alpn_protocols=["echo"], server_name="localhost")
    configuration.load_verify_locations(roots)
    sent = hashlib.shake_128(b"quic").digest(count)
    async with connect("127.0.0.1", port, configuration=configuration) as connection:
        reader, writer = await connection.create_stream()
        writer.write(sent[:count // 2])
        if moves:
            await connection.ping()
            await move(connection)
            await connection.ping()
        writer.write(sent[count // 2:])
        writer.write_eof()
        received = await reader.read()
    print("exact" if received == sent else "%d of %d" % (len(received), count))


if sys.argv[1] == "target":
    asyncio.run(target(int(sys.argv[2]), *sys.argv[3:]))
else:
    asyncio.run(client(int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), "moves" in sys.argv))
