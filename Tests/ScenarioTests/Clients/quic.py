"""QUIC: a target that gives back what a stream has brought, or a client that sends so many bytes and gets them back.

Arguments: target PORT CERTIFICATE KEY, or client PORT ROOTS BYTES. A target takes connections of TCP on the same port,
for health checks.
"""
import asyncio
import hashlib
import socket
import sys
import threading

from aioquic.asyncio import connect, serve
from aioquic.quic.configuration import QuicConfiguration


def check(port):
    with socket.create_server(("127.0.0.1", port), backlog=100) as listener:
        while True:
            listener.accept()[0].close()


async def answer(reader, writer):
    writer.write(await reader.read())
    writer.write_eof()


async def target(port, certificate, key):
    configuration = QuicConfiguration(is_client=False, alpn_protocols=["echo"])
    configuration.load_cert_chain(certificate, key)
    await serve(
        "127.0.0.1", port, configuration=configuration,
        stream_handler=lambda reader, writer: asyncio.ensure_future(answer(reader, writer)))
    threading.Thread(target=check, args=(port,), daemon=True).start()
    await asyncio.Event().wait()


async def client(port, roots, count):
    configuration = QuicConfiguration(is_client=True, alpn_protocols=["echo"], server_name="localhost")
    configuration.load_verify_locations(roots)
    sent = hashlib.shake_128(b"quic").digest(count)
    async with connect("127.0.0.1", port, configuration=configuration) as connection:
        reader, writer = await connection.create_stream()
        writer.write(sent)
        writer.write_eof()
        received = await reader.read()
    print("exact" if received == sent else "%d of %d" % (len(received), count))


if sys.argv[1] == "target":
    asyncio.run(target(int(sys.argv[2]), sys.argv[3], sys.argv[4]))
else:
    asyncio.run(client(int(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
