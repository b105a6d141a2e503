"""Asks once, with a trailer behind the request's body. Arguments: http1 or http2, the port; over TLS the roots' file.

Prints what came back: the interim response, the status, the bytes of the body and the trailer.
"""
import socket
import ssl
import sys

import h2.config
import h2.connection
import h2.events

how, port = sys.argv[1], int(sys.argv[2])
connection = socket.create_connection(("127.0.0.1", port), timeout=10)
if len(sys.argv) > 3:
    context = ssl.create_default_context(cafile=sys.argv[3])
    context.set_alpn_protocols(["h2" if how == "http2" else "http/1.1"])
    connection = context.wrap_socket(connection, server_hostname="localhost")


def http1():
    connection.sendall(b"POST /trailers HTTP/1.1\r\nHost: localhost\r\nTE: trailers\r\nConnection: TE\r\n"
                       b"Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 5\r\n\r\n")
    answer = b""
    while b"\r\n0\r\n" not in answer or not answer.endswith(b"\r\n\r\n"):
        bytes = connection.recv(65536)
        if not bytes:
            break
        answer += bytes
    lines = answer.lower().split(b"\r\n")
    statuses = [line.split()[1].decode() for line in lines if line.startswith(b"http/1.1 ")]
    count = len(answer.split(b"\r\n\r\n")[-2].split(b"\r\n")[1])
    return statuses, count, lines[-3].decode()


def http2():
    client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
    client.initiate_connection()
    fields = [(":method", "POST"), (":scheme", "https" if len(sys.argv) > 3 else "http"), (":authority", "localhost"),
              (":path", "/trailers"), ("te", "trailers")]
    client.send_headers(1, fields)
    client.send_data(1, b"hello")
    client.send_headers(1, [("x-sum", "5")], end_stream=True)
    statuses, count, trailer = [], 0, None
    while trailer is None:
        connection.sendall(client.data_to_send())
        bytes = connection.recv(65536)
        if not bytes:
            break
        for event in client.receive_data(bytes):
            if isinstance(event, (h2.events.InformationalResponseReceived, h2.events.ResponseReceived)):
                statuses.append(dict(event.headers)[":status"])
            if isinstance(event, h2.events.DataReceived):
                count += len(event.data)
            if isinstance(event, h2.events.TrailersReceived):
                trailer = ", ".join(f"{name}: {value}" for name, value in event.headers)
            if isinstance(event, (h2.events.StreamReset, h2.events.ConnectionTerminated)):
                trailer = str(event)
    return statuses, count, trailer


statuses, count, trailer = {"http1": http1, "http2": http2}[how]()
print(" ".join(statuses), count, trailer)
