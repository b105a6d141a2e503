"""A client of an admin socket, as another user: admin_client.py SOCKET UID GID GROUPS STEP…

GROUPS are numbers with commas between them, or "-". A step is "METHOD PATH [BODY]", sent over the one connection;
"wait FILE", which waits until the file is there; or "crowd NUMBER", which opens so many more connections, over which
nothing is said. For each request a line: the status, and the answer without line feeds. A stream of events is told line
by line until its end.
"""

import http.client
import os
import socket
import sys
import time


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("apus", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self.path)
        # Connecting anew would be another connection than the one that is tested.
        self.auto_open = 0


def show(text):
    print(text, flush=True)


path, user, group, groups, *steps = sys.argv[1:]
os.setgroups([int(number) for number in groups.split(",") if number != "-"])
os.setresgid(int(group), int(group), int(group))
os.setresuid(int(user), int(user), int(user))
connection = Connection(path)
try:
    connection.connect()
except OSError as error:
    sys.exit(f"cannot connect: {error}")
for step in steps:
    words = step.split(" ", 2)
    if words[0] == "wait":
        while not os.path.exists(words[1]):
            time.sleep(0.05)
        continue
    if words[0] == "crowd":
        crowd = [socket.socket(socket.AF_UNIX) for _ in range(int(words[1]))]
        for one in crowd:
            one.connect(path)
        show("connected")
        continue
    try:
        connection.request(words[0], words[1], words[2] if len(words) > 2 else None)
        response = connection.getresponse()
        if response.getheader("Content-Type") == "application/x-ndjson":
            show(f"{response.status} stream")
            for line in response:
                show(line.decode().strip())
            show("end of the stream")
        else:
            show(f"{response.status} " + response.read().decode().replace("\n", " "))
    except (OSError, http.client.HTTPException) as error:
        show(f"broken: {error!r}")
        break
