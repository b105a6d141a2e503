"""A disk that can be stopped: an in-memory file system, mounted by FUSE, and a program that uses it.

    unshare --mount --propagation private python3 stuck_disk.py FOLDER PIDFILE PROGRAM ARGUMENT...

This process becomes PROGRAM; the file system is served by a child, whose id is written to PIDFILE. While the child is
stopped (SIGSTOP) nothing that touches the folder comes back, as on a hung disk; after SIGCONT everything does. The
mount is private to this process, and the child ends with it: nothing is left behind.
Source: Linux, include/uapi/linux/fuse.h, version 7.31.
"""
import ctypes
import errno
import os
import signal
import stat
import struct
import sys

ROOT = 1
FOREVER = 1 << 30
libc = ctypes.CDLL(None, use_errno=True)


class Node:
    def __init__(self, mode):
        self.mode, self.data, self.names = mode, bytearray(), {}


class Refused(Exception):
    pass


nodes = {ROOT: Node(stat.S_IFDIR | 0o755)}


def attributes(number):
    node = nodes[number]
    size = len(node.data)
    return struct.pack(
        "<6Q10I", number, size, (size + 511) // 512, 0, 0, 0, 0, 0, 0, node.mode, 1, 0, 0, 0, 4096, 0)


def entry(number):
    return struct.pack("<QQQQII", number, 0, FOREVER, FOREVER, 0, 0) + attributes(number)


def make(parent, name, mode):
    number = max(nodes) + 1
    nodes[number] = Node(mode)
    nodes[parent].names[name] = number
    return number


def look_up(parent, name):
    if name not in nodes[parent].names:
        raise Refused(errno.ENOENT)
    return nodes[parent].names[name]


def names(body):
    return [name for name in body.split(b"\0") if name]


def set_attributes(number, body):
    valid, size, mode = struct.unpack_from("<I12xQ44xI", body)
    node = nodes[number]
    if valid & 1:
        node.mode = stat.S_IFMT(node.mode) | stat.S_IMODE(mode)
    if valid & 8:
        node.data = node.data[:size].ljust(size, b"\0")
    return struct.pack("<QII", FOREVER, 0, 0) + attributes(number)


def write(number, body):
    offset, size = struct.unpack_from("<8xQI", body)
    data = nodes[number].data
    if len(data) < offset:
        data.extend(bytes(offset - len(data)))
    data[offset:offset + size] = body[40:40 + size]
    return struct.pack("<II", size, 0)


def rename(parent, body, skip):
    target = struct.unpack_from("<Q", body)[0]
    old, new = names(body[skip:])
    nodes[target].names[new] = look_up(parent, old)
    del nodes[parent].names[old]
    return b""


def remove(parent, body):
    look_up(parent, names(body)[0])
    del nodes[parent].names[names(body)[0]]
    return b""


def create(parent, body):
    number = make(parent, names(body[16:])[0], stat.S_IFREG | struct.unpack_from("<4xI", body)[0] & 0o777)
    return entry(number) + struct.pack("<QII", 0, 0, 0)


def read(number, body):
    offset, size = struct.unpack_from("<8xQI", body)
    return bytes(nodes[number].data[offset:offset + size])


OPERATIONS = {
    1: lambda number, body: entry(look_up(number, names(body)[0])),
    3: lambda number, body: struct.pack("<QII", FOREVER, 0, 0) + attributes(number),
    4: set_attributes,
    9: lambda number, body: entry(
        make(number, names(body[8:])[0], stat.S_IFDIR | struct.unpack_from("<I", body)[0] & 0o777)),
    10: remove,
    12: lambda number, body: rename(number, body, 8),
    14: lambda number, body: struct.pack("<QII", 0, 0, 0),
    15: read,
    16: write,
    18: lambda number, body: b"",
    20: lambda number, body: b"",
    26: lambda number, body: struct.pack("<IIIIHHIIHHI28x", 7, 31, 65536, 0, 8, 8, 65536, 1, 16, 0, 0),
    27: lambda number, body: struct.pack("<QII", 0, 0, 0),
    29: lambda number, body: b"",
    30: lambda number, body: b"",
    35: create,
    45: lambda number, body: rename(number, body, 16),
}
# FORGET, INTERRUPT, BATCH_FORGET: nobody waits for an answer.
UNANSWERED = {2, 36, 42}


def serve(device):
    while True:
        request = os.read(device, 1 << 18)
        operation, unique, number = struct.unpack_from("<4xIQQ", request)
        if operation in UNANSWERED:
            continue
        code, answer = 0, b""
        try:
            if operation not in OPERATIONS:
                raise Refused(errno.ENOSYS)
            answer = OPERATIONS[operation](number, request[40:])
        except Refused as refusal:
            code = -refusal.args[0]
        try:
            os.write(device, struct.pack("<IiQ", 16 + len(answer), code, unique) + answer)
        except FileNotFoundError:
            pass  # whoever asked is gone


def main():
    folder, pid_file, program = sys.argv[1], sys.argv[2], sys.argv[3:]
    os.makedirs(folder, exist_ok=True)
    device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0".encode()
    if libc.mount(b"stuck", folder.encode(), b"fuse", 0, options) != 0:
        sys.exit(f"mount: {os.strerror(ctypes.get_errno())}")
    child = os.fork()
    if child == 0:
        libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
        try:
            serve(device)
        finally:
            os._exit(0)
    with open(pid_file, "w") as file:
        file.write(str(child))
    os.execvp(program[0], program)


main()
