"""A target of HTTP/2 that is checked, and looks at how each check's connection ends: with which frames, and then by an
end or a reset. It has always more to say than the check reads, as servers that measure their connections have.

Arguments: the port; perhaps the files of a certificate and its key, or slow, to give no answer.
"""
import socket
import ssl
import sys
import threading

import h2.config
import h2.connection
import h2.events

context = None
if len(sys.argv) > 3:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    context.set_alpn_protocols(["h2"])


def serve(client):
    if context:
        client = context.wrap_socket(client, server_side=True, suppress_ragged_eofs=False)
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
    connection.initiate_connection()
    client.sendall(connection.data_to_send())
    told = []
    while bytes := client.recv(65536):
        for event in connection.receive_data(bytes):
            if isinstance(event, h2.events.StreamReset):
                told.append(f"reset {int(event.error_code)}")
            if isinstance(event, h2.events.StreamEnded) and "slow" not in sys.argv:
                connection.send_headers(event.stream_id, [(":status", "200"), ("content-type", "application/grpc")])
                connection.send_data(event.stream_id, b"\0\0\0\0\2\x08\1")
                connection.send_headers(event.stream_id, [("grpc-status", "0")], end_stream=True)
                client.sendall(connection.data_to_send())
                connection.ping(b"how long")
            if isinstance(event, h2.events.ConnectionTerminated):
                told.append(f"goaway {int(event.error_code)}")
        try:
            client.sendall(connection.data_to_send())
            if told:
                client.sendall(b"\0\0\x08\6\0\0\0\0\0see it?!" * 1000)  # PINGs
        except ssl.SSLError:
            pass
    return told + ["end"]


def tell(client):
    try:
        print(*serve(client), flush=True)
    except (OSError, h2.exceptions.ProtocolError) as error:
        print(type(error).__name__, flush=True)
    client.close()


with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
    while True:
        threading.Thread(target=tell, args=(server.accept()[0],), daemon=True).start()
