"""Clients of one kind that ask again and again until SIGTERM, and check every answer.

Kinds: http2 (over TLS, many streams on each connection; cookies that are set are sent again), grpc (unary and
bidirectional calls), websocket (echoed messages; every second socket stays open from the beginning to the end). All but
the sockets that stay open a new connection from time to time, as it is then that changes of certificates, listeners and
targets show.

A line of JSON says every 0.2 s how far it is; the last line is the whole report.

Arguments: the kind, the port, the authority's certificate, how many clients, for how many seconds at most.
"""
import asyncio
import json
import signal
import socket
import ssl
import sys
import threading
import time

FAILURES_MAX = 200
TIMEOUT = 30

kind, port, roots, count, seconds = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), float(sys.argv[5])
stopping = threading.Event()


class Report:
    """What the clients have seen; they share it."""

    def __init__(self):
        self.lock = threading.Lock()
        self.answered = 0
        self.connections = 0
        self.failed = 0
        self.failures = []

    def add(self, answered=0, connections=0):
        with self.lock:
            self.answered += answered
            self.connections += connections

    def fail(self, what):
        with self.lock:
            self.failed += 1
            if len(self.failures) < FAILURES_MAX:
                self.failures.append(f"{time.time():.3f} {what}")

    def line(self):
        with self.lock:
            return json.dumps({"answered": self.answered, "connections": self.connections, "failed": self.failed,
                               "failures": self.failures})


report = Report()


def client_context(*protocols):
    context = ssl.create_default_context(cafile=roots)
    context.set_alpn_protocols(list(protocols))
    return context


# HTTP/2


class HTTP2Connection:
    """One connection, on which batches of requests are answered."""

    def __init__(self, number, cookies):
        import h2.config
        import h2.connection
        self.number = number
        self.cookies = cookies
        plain = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = client_context("h2").wrap_socket(plain, server_hostname="localhost")
        self.unread = b""
        # The last stream that is served, once a GOAWAY has told it. Streams beyond it may be sent again elsewhere.
        self.last_stream = None
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.send()

    def send(self):
        self.socket.sendall(self.h2.data_to_send())

    def close(self):
        if self.last_stream is None:
            self.h2.close_connection()
            self.send()
        self.socket.close()

    def receive(self):
        """Bytes of frames. A GOAWAY without an error is left out: h2 takes it for the end of all streams."""
        data = self.socket.recv(65536)
        self.unread += data
        frames = b""
        while len(self.unread) >= 9:
            end = 9 + int.from_bytes(self.unread[:3], "big")
            if len(self.unread) < end:
                break
            frame, self.unread = self.unread[:end], self.unread[end:]
            if frame[3] == 7 and frame[13:17] == bytes(4):
                self.last_stream = int.from_bytes(frame[9:13], "big") & 0x7fffffff
            else:
                frames += frame
        return data != b"", frames

    def batch(self, sequence):
        """Sends eight requests at once, two of them with a body, and waits for their answers."""
        import h2.events
        awaited = {}
        for index in range(8):
            name = f"h2-{self.number}-{sequence}-{index}"
            is_post = index % 4 == 3
            stream = self.h2.get_next_available_stream_id()
            path = f"/load/post-{name}" if is_post else f"/load/{name}"
            fields = [
                (":method", "POST" if is_post else "GET"), (":scheme", "https"), (":authority", "example.com"),
                (":path", path)]
            if self.cookies:
                fields.append(("cookie", "; ".join(f"{key}={value}" for key, value in self.cookies.items())))
            self.h2.send_headers(stream, fields, end_stream=not is_post)
            if is_post:
                self.h2.send_data(stream, b"x" * 5_000, end_stream=True)
            awaited[stream] = (name, [])
        self.send()
        while awaited:
            is_open, data = self.receive()
            if self.last_stream is not None:
                awaited = {stream: rest for stream, rest in awaited.items() if stream <= self.last_stream}
            if not is_open and awaited:
                raise ConnectionError(f"closed while {[name for name, _ in awaited.values()]} were awaited")
            for event in self.h2.receive_data(data):
                if isinstance(event, h2.events.ResponseReceived):
                    status = dict(event.headers)[":status"]
                    for key, value in event.headers:
                        if key == "set-cookie":
                            name, _, rest = value.partition("=")
                            self.cookies[name] = rest.split(";")[0]
                    if status != "200":
                        report.fail(f"{awaited[event.stream_id][0]}: {status} {dict(event.headers)}")
                elif isinstance(event, h2.events.DataReceived):
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    awaited[event.stream_id][1].append(event.data)
                elif isinstance(event, h2.events.StreamEnded):
                    name, body = awaited.pop(event.stream_id)
                    if not b"".join(body).endswith(b"\n"):
                        report.fail(f"{name}: {b''.join(body)[:50]}")
                    report.add(answered=1)
                elif isinstance(event, h2.events.StreamReset) and event.stream_id in awaited:
                    name, _ = awaited.pop(event.stream_id)
                    report.fail(f"{name}: reset {event.error_code}")
                elif isinstance(event, h2.events.ConnectionTerminated):
                    raise ConnectionError(f"GOAWAY {event.error_code}")
            if is_open:
                self.send()


def run_http2(number):
    sequence, cookies = 0, {}
    while not stopping.is_set():
        try:
            connection = HTTP2Connection(number, cookies)
            report.add(connections=1)
            for _ in range(100):
                if stopping.is_set() or connection.last_stream is not None:
                    break
                sequence += 1
                connection.batch(sequence)
                time.sleep(0.02)
            connection.close()
        except Exception as error:
            report.fail(f"http2 {number}: {type(error).__name__} {error}")
            time.sleep(0.1)


# gRPC


def run_grpc(number):
    import grpc
    credentials = grpc.ssl_channel_credentials(open(roots, "rb").read())
    options = [("grpc.use_local_subchannel_pool", 1)]
    sequence = 0
    while not stopping.is_set():
        with grpc.secure_channel(f"localhost:{port}", credentials, options) as channel:
            report.add(connections=1)
            unary = channel.unary_unary("/test.Echo/Unary")
            both = channel.stream_stream("/test.Echo/Bidirectional")
            for _ in range(100):
                if stopping.is_set():
                    break
                sequence += 1
                message = f"{number}-{sequence} ".encode() * 100
                try:
                    if unary(message, timeout=TIMEOUT) != message:
                        report.fail(f"grpc {number}-{sequence}: another message")
                    messages = [message + bytes([index]) for index in range(5)]
                    if list(both(iter(messages), timeout=TIMEOUT)) != messages:
                        report.fail(f"grpc {number}-{sequence}: other messages")
                    report.add(answered=2)
                except grpc.RpcError as error:
                    report.fail(f"grpc {number}-{sequence}: {error.code()} {error.details()}")
                time.sleep(0.02)


# WebSocket


async def talk(number):
    import websockets
    context = client_context("http/1.1")
    sequence = 0
    while not stopping.is_set():
        try:
            async with websockets.connect(f"wss://localhost:{port}/socket/{number}", ssl=context, compression=None,
                                          open_timeout=TIMEOUT, ping_interval=None) as channel:
                report.add(connections=1)
                rounds = 0
                while not stopping.is_set() and (number % 2 == 0 or rounds < 50):
                    rounds += 1
                    sequence += 1
                    message = f"{number}-{sequence} " * (1 if sequence % 10 else 2_000)
                    await channel.send(message)
                    answer = await asyncio.wait_for(channel.recv(), TIMEOUT)
                    if answer != message:
                        report.fail(f"websocket {number}-{sequence}: another message")
                    report.add(answered=1)
                    await asyncio.sleep(0.02)
        except Exception as error:
            report.fail(f"websocket {number}: {type(error).__name__} {error}")
            await asyncio.sleep(0.1)


def run_websocket(number):
    asyncio.run(talk(number))


def main():
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    run = {"http2": run_http2, "grpc": run_grpc, "websocket": run_websocket}[kind]
    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds
    while any(thread.is_alive() for thread in threads):
        if time.monotonic() > end:
            stopping.set()
        print(report.line(), flush=True)
        for thread in threads:
            thread.join(0.2 / len(threads))
    print(report.line(), flush=True)


main()
