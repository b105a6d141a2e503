"""Clients in a closed loop over keep-alive connections: each sends its next request after the last response.

Every request has an id of its own, the last segment of its path. A line of JSON says every 0.2 s how far it is; the
last line is the whole report. It ends after the given seconds, or on SIGTERM after the requests that are on their way.

Arguments: address, port, and options (--help).
"""
import argparse
import asyncio
import json
import signal
import time

# What a report holds at most, so that a target that refuses everything does not fill the disk.
SLOW_MAX = 20_000
FAILURES_MAX = 2_000
SLOW_SECONDS = 0.1


class Report:
    """The results of the requests."""

    def __init__(self):
        self.sent = 0
        self.statuses = {}
        self.failed = 0
        # [when it was sent, seconds it took, what came of it, its id]
        self.failures = []
        self.slow = []
        self.longest = 0.0

    def add(self, began, what, name):
        seconds = time.time() - began
        self.statuses[what] = self.statuses.get(what, 0) + 1
        self.longest = max(self.longest, seconds)
        row = [round(began, 4), round(seconds, 4), what, name]
        if what != "200":
            self.failed += 1
            if len(self.failures) < FAILURES_MAX:
                self.failures.append(row)
        if seconds >= SLOW_SECONDS and len(self.slow) < SLOW_MAX:
            self.slow.append(row)

    def progress(self):
        answered = sum(self.statuses.values())
        return {"at": time.time(), "sent": self.sent, "answered": answered, "failed": self.failed}

    def whole(self):
        return {**self.progress(), "statuses": self.statuses, "failures": self.failures, "slow": self.slow,
                "longest": round(self.longest, 4)}


class Connection(asyncio.Protocol):
    """One connection: one request at a time."""

    def __init__(self):
        self.transport = None
        self.waiting = None
        self.unread = b""
        self.is_open = True

    def connection_made(self, transport):
        self.transport = transport

    def connection_lost(self, error):
        self.is_open = False
        self.finish("reset" if isinstance(error, ConnectionError) else "closed")

    def data_received(self, data):
        self.unread += data
        end = self.unread.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.unread[:end].lower()
        at = head.find(b"\r\ncontent-length:")
        length = int(head[at + 17:].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(self.unread) < end + 4 + length:
            return
        self.unread = self.unread[end + 4 + length:]
        if b"\r\nconnection: close" in head:
            self.is_open = False
        self.finish(head[9:12].decode())

    def finish(self, what):
        if self.waiting and not self.waiting.done():
            self.waiting.set_result(what)

    async def exchange(self, request, timeout):
        """Sends a request; its status, or how it failed."""
        self.waiting = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        handle = asyncio.get_running_loop().call_later(timeout, self.finish, "timeout")
        what = await self.waiting
        handle.cancel()
        if what == "timeout":
            self.is_open = False
        if not self.is_open:
            self.transport.abort()
        return what


async def loop_requests(number, options, report, stopping):
    """One client until the end."""
    connection, sequence = None, 0
    while not stopping.is_set():
        sequence += 1
        name = f"{options.label}{number}-{sequence}"
        body = name if options.method in ("POST", "PUT") else ""
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        ending = "Connection: close\r\n" if options.fresh else ""
        text = f"{options.method} /load/{name} HTTP/1.1\r\nHost: example.com\r\n{ending}{length}\r\n{body}"
        report.sent += 1
        began = time.time()
        try:
            if connection is None or not connection.is_open:
                opening = asyncio.get_running_loop().create_connection(Connection, options.address, options.port)
                _, connection = await asyncio.wait_for(opening, options.timeout)
            what = await connection.exchange(text.encode(), options.timeout)
        except (OSError, asyncio.TimeoutError) as error:
            what, connection = type(error).__name__, None
        report.add(began, what, name)
        # A closed listener would be retried as fast as it refuses.
        pause = options.pause if what == "200" else max(options.pause, 0.01)
        if pause:
            await asyncio.sleep(pause)
    if connection and connection.transport:
        connection.transport.abort()


async def main(options):
    report, stopping = Report(), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    loop.call_later(options.seconds, stopping.set)
    clients = [loop.create_task(loop_requests(number, options, report, stopping))
               for number in range(options.connections)]
    while not all(client.done() for client in clients):
        print(json.dumps(report.progress()), flush=True)
        await asyncio.wait(clients, timeout=0.2)
    print(json.dumps(report.whole()), flush=True)


parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("address")
parser.add_argument("port", type=int)
parser.add_argument("--method", default="GET")
parser.add_argument("--connections", type=int, default=24)
parser.add_argument("--seconds", type=float, default=60, help="the longest that it sends (default 60)")
parser.add_argument("--pause", type=float, default=0, help="seconds between an answer and the next request")
parser.add_argument("--timeout", type=float, default=60, help="seconds until a request has failed (default 60)")
parser.add_argument("--fresh", action="store_true", help="a new connection for each request")
parser.add_argument("--label", default="", help="what ids begin with")
asyncio.run(main(parser.parse_args()))
