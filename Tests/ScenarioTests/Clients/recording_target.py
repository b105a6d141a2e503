"""An HTTP/1.1 target that may die at any moment, and leaves a record of what it processed.

It answers every request with its name. A POST counts as processed once it was read completely: the last segment of its
path is then written to the record, one line each. SIGTERM makes it stop in good order: it closes its listening socket
and its connections, answers nothing more, and exits. With seconds to linger it first answers what comes on the
connections it has, and closes each once nothing has come for so long.

Arguments: address, port, name, the record's path; perhaps seconds that an answer takes, and seconds to linger.
"""
import asyncio
import os
import signal
import sys

address, port, name, record_path = sys.argv[1:5]
delay = float(sys.argv[5]) if len(sys.argv) > 5 else 0
linger = float(sys.argv[6]) if len(sys.argv) > 6 else 0
record = os.open(record_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
body = name.encode() + b"\n"
answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
open_connections = set()
connections = {}


class Connection(asyncio.Protocol):
    """One client's connection; requests on it are answered in turn."""

    def connection_made(self, transport):
        self.transport = transport
        self.unread = b""
        self.answers = 0
        self.seen = 0.0
        open_connections.add(transport)
        connections[transport] = self

    def connection_lost(self, error):
        open_connections.discard(self.transport)
        connections.pop(self.transport, None)

    def data_received(self, data):
        self.unread += data
        self.seen = asyncio.get_running_loop().time()
        while (end := self.unread.find(b"\r\n\r\n")) >= 0:
            head = self.unread[:end].lower()
            at = head.find(b"\r\ncontent-length:")
            length = int(head[at + 17:].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self.unread) < end + 4 + length:
                return
            line = self.unread[:end].split(b"\r\n", 1)[0]
            self.unread = self.unread[end + 4 + length:]
            self.respond(line)

    def respond(self, line):
        method, path, _ = line.split(b" ", 2)
        if method == b"POST":
            os.write(record, path.rsplit(b"/", 1)[-1] + b"\n")
        self.answers += 1
        if delay and not path.endswith(b"/health"):
            asyncio.get_running_loop().call_later(delay, self.answer)
        else:
            self.answer()

    def answer(self):
        self.answers -= 1
        self.seen = asyncio.get_running_loop().time()
        self.transport.write(answer)


stopped_at = []


def began(loop):
    """When it was told to stop."""
    if not stopped_at:
        stopped_at.append(loop.time())
    return stopped_at[0]


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, address, int(port), backlog=1024)
    ended = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    server.close()
    while linger and connections:
        for connection in list(connections.values()):
            if not connection.answers and loop.time() - max(connection.seen, began(loop)) > linger:
                connection.transport.close()
        await asyncio.sleep(0.02)
    for transport in list(open_connections):
        transport.close()
    await asyncio.sleep(0)


asyncio.run(main())
