#!/usr/bin/env python3
"""Two programs in one: `echo` answers every datagram with itself, `load` keeps datagrams in flight and counts answers.

Both receive and send many datagrams with one call, through the C library: with a call for each, Python would be slower
than the proxies under comparison.
"""

import argparse
import ctypes
import json
import select
import socket
import time

BYTES = 128
FLOWS = 64
# With all flows 128 datagrams: fewer than a socket queues by default, so that none has to be lost.
IN_FLIGHT_PER_FLOW = 2
BATCH = 64
QUEUE_BYTES = 4 * 1024 * 1024
# Time without datagrams after which a flow ends and the next datagram begins a new one.
SILENCE = 0.2

_library = ctypes.CDLL(None, use_errno=True)
_MSG_DONTWAIT = 0x40
_MSG_WAITFORONE = 0x10000


class _Vector(ctypes.Structure):
    """struct iovec."""

    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class _Header(ctypes.Structure):
    """struct msghdr."""

    _fields_ = [("name", ctypes.c_void_p), ("name_length", ctypes.c_uint), ("vectors", ctypes.c_void_p),
                ("vector_count", ctypes.c_size_t), ("control", ctypes.c_void_p), ("control_length", ctypes.c_size_t),
                ("flags", ctypes.c_int)]


class _Message(ctypes.Structure):
    """struct mmsghdr."""

    _fields_ = [("header", _Header), ("byte_count", ctypes.c_uint)]


class Batch:
    """Datagrams of BYTES that one call receives and one call sends; if `addressed`, to where they came from."""

    def __init__(self, capacity, addressed=False):
        self.capacity = capacity
        self._contents = ctypes.create_string_buffer(b"x" * BYTES * capacity, BYTES * capacity)
        self._names = ctypes.create_string_buffer(16 * capacity)
        self._vectors = (_Vector * capacity)()
        self._messages = (_Message * capacity)()
        for index in range(capacity):
            vector, header = self._vectors[index], self._messages[index].header
            vector.base = ctypes.addressof(self._contents) + index * BYTES
            vector.length = BYTES
            header.vectors, header.vector_count = ctypes.addressof(vector), 1
            if addressed:
                # The length is that of a struct sockaddr_in before and after every call.
                header.name, header.name_length = ctypes.addressof(self._names) + index * 16, 16

    def receive(self, descriptor, flags):
        """Receives what waits. Returns how many datagrams; none if there was nothing or the socket had an error."""
        return max(0, _library.recvmmsg(descriptor, self._messages, self.capacity, flags, None))

    def send(self, descriptor, count):
        """Sends the first `count` datagrams. Returns how many the kernel took."""
        return max(0, _library.sendmmsg(descriptor, self._messages, count, _MSG_DONTWAIT)) if count else 0


class Flow:
    """A socket connected to the proxy, and what was sent and answered through it."""

    def __init__(self, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))
        self.sent = 0
        self.answered = 0
        self.answered_before = 0

    def send(self, batch, count):
        """Puts datagrams in flight."""
        self.sent += batch.send(self.socket.fileno(), count)

    def go_on(self, received, batch):
        """Takes the answers that have come, and sends as many datagrams."""
        count = received.receive(self.socket.fileno(), _MSG_DONTWAIT)
        self.answered += count
        self.send(batch, count)

    def revive(self, batch):
        """Starts again if nothing was answered since the last call: what was in flight is lost."""
        if self.answered == self.answered_before:
            self.send(batch, IN_FLIGHT_PER_FLOW)
        self.answered_before = self.answered


def echo(port):
    """Answers every datagram with itself, until the process is ended."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    # More than `rmem_max` only as root; otherwise as much as there may be.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, QUEUE_BYTES)
    listener.bind(("127.0.0.1", port))
    batch = Batch(BATCH, addressed=True)
    while True:
        batch.send(listener.fileno(), batch.receive(listener.fileno(), _MSG_WAITFORONE))


def load(port, seconds):
    """Keeps datagrams in flight for so long. Returns how many were answered and lost, and the time it took."""
    sending, received = Batch(BATCH), Batch(BATCH)
    poller = select.epoll()
    flows = {}
    for _ in range(FLOWS):
        flow = Flow(port)
        flows[flow.socket.fileno()] = flow
        poller.register(flow.socket.fileno(), select.EPOLLIN)
        flow.send(sending, IN_FLIGHT_PER_FLOW)
    began = time.monotonic()
    look = began + SILENCE
    while (now := time.monotonic()) < began + seconds:
        for descriptor, _ in poller.poll(SILENCE):
            flows[descriptor].go_on(received, sending)
        if now >= look:
            look = now + SILENCE
            for flow in flows.values():
                flow.revive(sending)
    took = time.monotonic() - began
    _drain(poller, flows, received)
    answered = sum(flow.answered for flow in flows.values())
    return {"answered": answered, "lost": sum(flow.sent for flow in flows.values()) - answered, "seconds": took}


def _drain(poller, flows, received):
    """Takes the answers that are still on their way."""
    while ready := poller.poll(SILENCE):
        for descriptor, _ in ready:
            flows[descriptor].answered += received.receive(descriptor, _MSG_DONTWAIT)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", choices=["echo", "load"])
    parser.add_argument("port", type=int)
    parser.add_argument("--seconds", type=float, default=1)
    options = parser.parse_args()
    if options.program == "echo":
        echo(options.port)
    else:
        print(json.dumps(load(options.port, options.seconds)))


if __name__ == "__main__":
    main()
