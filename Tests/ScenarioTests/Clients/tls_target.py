"""A TLS target that sends close_notify with each response, and closes its socket much later.

Arguments: port, the files of its certificate and key.
"""
import socket
import ssl
import sys
import threading

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2], sys.argv[3])


def serve(client):
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(incoming, outgoing, server_side=True)

    def step(work):
        while True:
            try:
                result = work()
                client.sendall(outgoing.read())
                return result
            except ssl.SSLWantReadError:
                client.sendall(outgoing.read())
                bytes = client.recv(65536)
                if not bytes:
                    raise ConnectionError
                incoming.write(bytes)

    try:
        step(session.do_handshake)
        request = b""
        while b"\r\n\r\n" not in request:
            request += step(lambda: session.read(65536))
        session.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n")
        try:
            session.unwrap()
        except ssl.SSLWantReadError:
            pass
        client.sendall(outgoing.read())
        client.settimeout(3)
        while client.recv(65536):
            pass
    except (OSError, ssl.SSLError):
        pass
    client.close()


with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
    while True:
        threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
