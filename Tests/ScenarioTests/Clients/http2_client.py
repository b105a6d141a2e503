"""What only a hand-driven HTTP/2 client does. Arguments: what to do, the port; over TLS the file of the roots."""
import os
import socket
import ssl
import struct
import sys
import time

import h2.config
import h2.connection
import h2.events


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port))
        if len(sys.argv) > 3:
            context = ssl.create_default_context(cafile=sys.argv[3])
            context.set_alpn_protocols(["h2"])
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.send()
        self.ended = False

    def send(self):
        self.socket.sendall(self.h2.data_to_send())

    def events(self, timeout=10):
        self.socket.settimeout(timeout)
        try:
            bytes = self.socket.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            bytes = b""
        if not bytes:
            self.ended = True
            return []
        events = self.h2.receive_data(bytes)
        self.send()
        return events

    def fields(self, path="/", method="GET"):
        return [(":method", method), (":scheme", "https" if len(sys.argv) > 3 else "http"), (":authority", "localhost"), (":path", path)]


def zero_window(client):
    """Asks for a large response and opens its window byte by byte: is it reset?"""
    client.h2.update_settings({4: 0})
    client.send()
    stream = client.h2.get_next_available_stream_id()
    client.h2.send_headers(stream, client.fields("/large"), end_stream=True)
    client.send()
    began = time.monotonic()
    while time.monotonic() - began < 20:
        try:
            for event in client.events(timeout=0.1):
                if isinstance(event, h2.events.StreamReset):
                    return print("reset", int(event.error_code))
            if client.ended:
                return print("closed")
        except TimeoutError:
            # Slower than any bound on frames, faster than any bound on silence.
            client.h2.increment_flow_control_window(1, stream)
            client.send()
    print("never")


def slow_beside_fast(client):
    """One stream takes nothing of a large response; another one's comes whole."""
    slow = client.h2.get_next_available_stream_id()
    client.h2.send_headers(slow, client.fields("/large"), end_stream=True)
    client.h2.increment_flow_control_window(1 << 30)
    client.send()
    fast = client.h2.get_next_available_stream_id()
    client.h2.send_headers(fast, client.fields("/large"), end_stream=True)
    client.send()
    counts = {slow: 0, fast: 0}
    while not client.ended:
        events = client.events()
        data = [event for event in events if isinstance(event, h2.events.DataReceived)]
        for event in data:
            counts[event.stream_id] += len(event.data)
        if any(isinstance(event, h2.events.StreamEnded) and event.stream_id == fast for event in events):
            return print("fast", counts[fast], "slow", counts[slow])
        taken = sum(len(event.data) for event in data if event.stream_id == fast)
        if taken:
            client.h2.increment_flow_control_window(taken, fast)
        client.send()


def websocket(client):
    """RFC 8441, with the target's echo."""
    while not any(isinstance(event, h2.events.RemoteSettingsChanged) for event in client.events()):
        pass
    stream = client.h2.get_next_available_stream_id()
    fields = client.fields("/socket", "CONNECT")
    client.h2.send_headers(stream, fields[:1] + [(":protocol", "websocket")] + fields[1:] + [
        ("sec-websocket-version", "13")])
    client.send()

    def frame(opcode, payload):
        mask = os.urandom(4)
        return bytes([0x80 | opcode, 0x80 | len(payload)]) + mask + bytes(
            byte ^ mask[index % 4] for index, byte in enumerate(payload))

    told = []
    while not client.ended:
        for event in client.events():
            if isinstance(event, h2.events.ResponseReceived):
                told.append(dict(event.headers)[":status"])
                client.h2.send_data(stream, frame(1, b"hello"))
            if isinstance(event, h2.events.DataReceived) and event.data:
                told.append(event.data.hex())
                if event.data[0] == 0x81:
                    client.h2.send_data(stream, frame(8, b"\x03\xe8"))
            if isinstance(event, h2.events.StreamEnded):
                return print(" ".join(told))
        client.send()


def given_up(client):
    """Gives up one request of three, 600 in all, on a connection whose others are answered."""
    served = 0
    for _ in range(600):
        wanted = set()
        for index in range(3):
            stream = client.h2.get_next_available_stream_id()
            client.h2.send_headers(stream, client.fields(), end_stream=True)
            wanted.add(stream)
        client.h2.reset_stream(stream, 8)
        wanted.remove(stream)
        client.send()
        while wanted and not client.ended:
            for event in client.events():
                if isinstance(event, h2.events.ConnectionTerminated):
                    return print("goaway", int(event.error_code), "served", served)
                if isinstance(event, h2.events.StreamEnded) and event.stream_id in wanted:
                    wanted.remove(event.stream_id)
                    served += 1
    print("served", served)


def refused_websocket(client):
    """RFC 8441: the status that comes instead of a tunnel, why, and how the stream ends."""
    while not any(isinstance(event, h2.events.RemoteSettingsChanged) for event in client.events()):
        pass
    told = []
    for path in ("/plain", "/created", "/moved", "/forbidden", "/hints", "/fixed", "/grpc"):
        stream = client.h2.get_next_available_stream_id()
        fields = client.fields(path, "CONNECT")
        more = [("content-type", "application/grpc")] if path == "/grpc" else []
        client.h2.send_headers(stream, fields[:1] + [(":protocol", "websocket")] + fields[1:] + [
            ("sec-websocket-version", "13")] + more)
        client.send()
        status, ended = "", False
        while not ended and not client.ended:
            for event in client.events():
                if isinstance(event, h2.events.InformationalResponseReceived):
                    status += dict(event.headers)[":status"] + " "
                if isinstance(event, h2.events.ResponseReceived):
                    status += dict(event.headers)[":status"] + " " + dict(event.headers).get("apus-reason", "-")
                if isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset)):
                    ended = True
        told.append(f"{path} {status}")
    print("\n".join(told))


def waiting(client):
    """12 requests with windows of 0, more than may have a connection to a target at once. What a target answers may
    come; what Apus answers gets a window byte by byte until the file `go` is there. Prints the statuses and how the
    streams ended."""
    client.h2.update_settings({4: 0})
    streams = [client.h2.get_next_available_stream_id() + 2 * index for index in range(12)]
    for stream in streams:
        client.h2.send_headers(stream, client.fields("/held"), end_stream=True)
    client.send()
    heads, ends, is_open, last = {}, {}, False, 0
    while len(ends) < len(streams) and not client.ended:
        try:
            events = client.events(timeout=0.05)
        except TimeoutError:
            events = []
        for event in events:
            if isinstance(event, h2.events.ResponseReceived):
                heads.setdefault(event.stream_id, []).append(dict(event.headers)[":status"])
                if heads[event.stream_id] == ["200"]:
                    client.h2.increment_flow_control_window(1 << 20, event.stream_id)
            if isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset)):
                ends[event.stream_id] = type(event).__name__
            if isinstance(event, h2.events.ResponseReceived) and len(heads) == len(streams):
                print("heads", flush=True)
        rejected = [stream for stream in streams if heads.get(stream) == ["503"] and stream not in ends]
        if not is_open and os.path.exists("go"):
            is_open = True
            for stream in rejected:
                client.h2.increment_flow_control_window(1 << 20, stream)
        elif not is_open and time.monotonic() > last + 0.3:
            last = time.monotonic()
            for stream in rejected:
                client.h2.increment_flow_control_window(1, stream)
        client.send()
    told = [f"{'+'.join(heads.get(stream, []))} {ends.get(stream)}" for stream in streams]
    for line in sorted(set(told)):
        print(line, told.count(line))


def changing(client):
    """12 requests and a WebSocket, of which some wait: their statuses once all are answered."""
    while not any(isinstance(event, h2.events.RemoteSettingsChanged) for event in client.events()):
        pass
    streams = [client.h2.get_next_available_stream_id() + 2 * index for index in range(13)]
    for stream in streams[:-1]:
        client.h2.send_headers(stream, client.fields("/held"), end_stream=True)
    fields = client.fields("/socket", "CONNECT")
    client.h2.send_headers(streams[-1], fields[:1] + [(":protocol", "websocket")] + fields[1:] + [
        ("sec-websocket-version", "13")])
    client.send()
    heads, ends = {}, {}
    while len(ends) < len(streams) and not client.ended:
        for event in client.events(timeout=60):
            if isinstance(event, h2.events.ResponseReceived):
                heads.setdefault(event.stream_id, []).append(dict(event.headers)[":status"])
            if isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset)):
                ends[event.stream_id] = type(event).__name__
    told = [f"{'+'.join(heads.get(stream, []))} {ends.get(stream)}" for stream in streams]
    print(told.count("200 StreamEnded"), "socket", told[-1])


def sticky(first):
    """Asks without cookies, and then over new connections with those that were set, each in a field of its own. Prints
    the names that were set, and the bodies that came."""
    def ask(client, cookies):
        stream = client.h2.get_next_available_stream_id()
        fields = client.fields() + [("cookie", f"{name}={value}") for name, value in cookies.items()]
        client.h2.send_headers(stream, fields, end_stream=True)
        client.send()
        body, ended = b"", False
        while not ended and not client.ended:
            for event in client.events():
                if isinstance(event, h2.events.ResponseReceived):
                    for name, value in event.headers:
                        if name == "set-cookie":
                            pair = value.split(";")[0]
                            cookies[pair.split("=")[0]] = pair.split("=", 1)[1]
                elif isinstance(event, h2.events.DataReceived):
                    body += event.data
                elif isinstance(event, h2.events.StreamEnded):
                    ended = True
        return body.decode().strip()

    cookies = {"theme": "dark"}
    bodies = {ask(first, cookies)}
    names = sorted(cookies)
    for _ in range(12):
        bodies.add(ask(Client(int(sys.argv[2])), cookies))
    print(*names, len(bodies))


globals()[sys.argv[1]](Client(int(sys.argv[2])))
