"""A target that answers with a trailer, and says in it what the request's trailer was.

Arguments: the port, http1 or http2; over TLS the files of its certificate and key.
"""
import socket
import ssl
import sys
import threading

import h2.config
import h2.connection
import h2.events

how = sys.argv[2]
context = None
if len(sys.argv) > 3:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3], sys.argv[4])
    context.set_alpn_protocols(["h2" if how == "http2" else "http/1.1"])


def http1(client):
    request = b""
    while bytes := client.recv(65536):
        request += bytes
        if request.endswith(b"\r\n0\r\n\r\n") or b"\r\n0\r\n" in request and request.endswith(b"\r\n\r\n"):
            trailer = request.lower().split(b"\r\n0\r\n")[-1].strip() or b"none"
            client.sendall(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n"
                           b"Transfer-Encoding: chunked\r\nTrailer: X-Heard\r\n\r\n5\r\nhello\r\n0\r\n"
                           b"X-Heard: " + trailer.replace(b": ", b"=") + b"\r\n\r\n")
            request = b""


def http2(client):
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
    connection.initiate_connection()
    client.sendall(connection.data_to_send())
    heard = {}
    while bytes := client.recv(65536):
        for event in connection.receive_data(bytes):
            if isinstance(event, h2.events.TrailersReceived):
                heard[event.stream_id] = ",".join(f"{name}={value}" for name, value in event.headers)
            if isinstance(event, h2.events.StreamEnded):
                stream = event.stream_id
                connection.send_headers(stream, [(":status", "103"), ("link", "</a>")])
                connection.send_headers(stream, [(":status", "200")])
                connection.send_data(stream, b"hello")
                connection.send_headers(stream, [("x-heard", heard.get(stream, "none"))], end_stream=True)
        client.sendall(connection.data_to_send())


def serve(client):
    try:
        if context:
            client = context.wrap_socket(client, server_side=True)
        {"http1": http1, "http2": http2}[how](client)
    except (OSError, h2.exceptions.ProtocolError):
        pass
    client.close()


with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
    while True:
        threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
