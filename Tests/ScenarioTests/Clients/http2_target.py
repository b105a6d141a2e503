"""A target of HTTP/2 (prior knowledge) that ends streams and connections in all the ways there are.

Arguments: port; perhaps the window that streams have at first.
"""
import os
import socket
import sys
import threading
import time

import h2.config
import h2.connection
import h2.events
import h2.settings

CONFIG = h2.config.H2Configuration(
    client_side=False, header_encoding="utf-8", validate_outbound_headers=False, normalize_outbound_headers=False)
seen = set()


def once(path):
    """Whether `path` is asked for the first time."""
    if path in seen:
        return False
    seen.add(path)
    return True


def counting(path):
    """Whether the answer to `path` is how many bytes of a body came."""
    return path == "/held" or path.startswith("/refused-after/")


def answer(connection, stream, path, late):
    def respond(fields=(), body=b"ok\n", ends=True):
        connection.send_headers(stream, [(":status", "200"), *fields])
        connection.send_data(stream, body, end_stream=ends)

    if path == "/reset":
        connection.reset_stream(stream, 2)
    elif path == "/cut":
        respond(ends=False)
        connection.reset_stream(stream, 2)
    elif path.startswith("/reset/"):
        connection.reset_stream(stream, int(path.removeprefix("/reset/")))
    elif path.startswith("/cut/"):
        respond(ends=False)
        connection.reset_stream(stream, int(path.removeprefix("/cut/")))
    elif path == "/refused" and once(path):
        connection.reset_stream(stream, 7)
    elif path.startswith("/goodbye") or path == "/goaway" and once(path):
        connection.close_connection(last_stream_id=0)
    elif path == "/cut-late":
        respond(body=b"x" * 16384, ends=False)
        connection.send_data(stream, b"x" * 16384)
        late.add(stream)
    elif path == "/early":
        respond()
        connection.reset_stream(stream, 0)
    elif path == "/field":
        respond([("connection", "close")])
    elif path == "/length":
        respond([("content-length", "10")])
    elif path == "/held" and once(path):
        while not os.path.exists("go"):  # until the client has sent all of its request
            time.sleep(0.01)
        connection.reset_stream(stream, 7)
    elif path == "/held":
        connection.increment_flow_control_window(1 << 20, stream)
    elif path == "/silent" or counting(path):
        pass
    else:
        respond()


def serve(client):
    connection = h2.connection.H2Connection(CONFIG)
    connection.initiate_connection()
    if len(sys.argv) > 2:
        connection.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: int(sys.argv[2])})
    paths, counts, late = {}, {}, set()
    client.sendall(connection.data_to_send())
    while bytes := client.recv(65536):
        for event in connection.receive_data(bytes):
            if isinstance(event, h2.events.RequestReceived):
                path = dict(event.headers)[":path"]
                paths[event.stream_id], counts[event.stream_id] = path, 0
                if path == "/hangup":
                    return client.close()
                if path == "/die":
                    while client.recv(65536):
                        pass
                answer(connection, event.stream_id, path, late)
            if isinstance(event, h2.events.WindowUpdated) and event.stream_id in late:
                late.remove(event.stream_id)  # some of it was passed on
                connection.reset_stream(event.stream_id, 2)
            if isinstance(event, h2.events.StreamEnded) and counting(paths.get(event.stream_id, "")):
                connection.send_headers(event.stream_id, [(":status", "200")])
                connection.send_data(event.stream_id, b"%d\n" % counts[event.stream_id], end_stream=True)
            if isinstance(event, h2.events.DataReceived):
                counts[event.stream_id] += len(event.data)
                connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                path = paths.get(event.stream_id, "")
                if path.startswith("/refused-after/") and counts[event.stream_id] >= int(path[15:]) and once(path):
                    connection.reset_stream(event.stream_id, 7)
                    del paths[event.stream_id]
        client.sendall(connection.data_to_send())
        if connection.state_machine.state == h2.connection.ConnectionState.CLOSED:
            break
    client.close()


def serve_quietly(client):
    try:
        serve(client)
    except (OSError, h2.exceptions.ProtocolError):
        client.close()


with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
    while True:
        threading.Thread(target=serve_quietly, args=(server.accept()[0],), daemon=True).start()
