"""Stands for an older apus in an upgrade: starts a newer one, and lets it know only what the older one would.

Arguments: the newer apus and its arguments. It ends with it.
"""
import json
import os
import select
import socket
import subprocess
import sys

outer = socket.socket(fileno=int(os.environ["APUS_UPGRADE"]))
inner, others = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
child = subprocess.Popen(sys.argv[1:], pass_fds=[others.fileno()],
                         env={**os.environ, "APUS_UPGRADE": str(others.fileno())})
others.close()
outer.setblocking(True)


def pass_on(source, sink):
    """Whether a message came."""
    data, descriptors, _, _ = socket.recv_fds(source, 65536, 253)
    if not data:
        return False
    message = json.loads(data)
    if message["message"] == "hello":
        message["version"] = "0.0.9"
    if message["message"] not in ("targets", "discovered", "claimed", "ticket-keys"):
        socket.send_fds(sink, [json.dumps(message).encode()], descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    return True


watched = [outer, inner]
while inner in watched:
    for ready in select.select(watched, [], [])[0]:
        other = inner if ready is outer else outer
        try:
            is_open = pass_on(ready, other)
        except (BrokenPipeError, ConnectionResetError):
            is_open = False
        if not is_open:
            watched.remove(ready)
            other.shutdown(socket.SHUT_WR)
sys.exit(child.wait())
