"""A TLS target of tunnels: it echoes what arrives, with its name in front.

Arguments: port, the files of its certificate and key, its name, and perhaps "header": then each connection has to begin
with a PROXY header of version 2, which it gives back in hexadecimal instead of its name.
"""
import socket
import ssl
import sys
import threading

port, certificate, key, name = int(sys.argv[1]), *sys.argv[2:5]
has_header = len(sys.argv) > 5
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)


def exactly(client, count):
    bytes = b""
    while len(bytes) < count:
        more = client.recv(count - len(bytes))
        if not more:
            raise ConnectionError("a header that was cut")
        bytes += more
    return bytes


def serve(client):
    try:
        word = name
        if has_header:
            header = exactly(client, 16)
            header += exactly(client, int.from_bytes(header[14:16], "big"))
            word = header.hex()
        with context.wrap_socket(client, server_side=True) as session:
            while True:
                bytes = session.recv(65536)
                if not bytes:
                    return
                session.sendall(f"{word} ".encode() + bytes)
    except (OSError, ssl.SSLError):
        client.close()


with socket.create_server(("127.0.0.1", port), backlog=256) as server:
    while True:
        threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
