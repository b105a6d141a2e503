"""Datagrams from addresses that are invented, one each, while a client asks and is answered. Says as JSON how it went.

Arguments: address and port of a listener; how many datagrams to invent, and how often to ask.
"""
import json
import random
import socket
import struct
import sys

host, port, flood, asks = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(10)
client.connect((host, port))


def ask(number):
    text = b"%d" % number
    client.send(text)
    try:
        return client.recv(100) == text
    except TimeoutError:
        return False


# The client was answered and has sent again, so its flow is verified.
established = all(ask(number) for number in range(2))
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
payload = b"from nowhere"
# Source: RFC 791 §3.1, RFC 768; the kernel fills in the IPv4 checksum, and UDP's may be none.
head = struct.pack("!BBHHHBBH", 0x45, 0, 28 + len(payload), 0, 0, 64, socket.IPPROTO_UDP, 0)
target = socket.inet_aton(host)
sent, answered, asked = 0, 0, 0
order = random.Random(7)
# In step: so many invented between two questions, so that the queue before us holds them all.
for number in range(asks):
    for _ in range(flood // asks):
        source = struct.pack("!I", 0x0B000000 | order.getrandbits(24))
        raw.sendto(
            head + source + target + struct.pack("!HHHH", order.randrange(1024, 65536), port, 8 + len(payload), 0)
            + payload, (host, 0))
        sent += 1
    asked += 1
    answered += ask(number)
own = "%s:%d" % client.getsockname()
print(json.dumps({"flood": sent, "asked": asked, "answered": answered if established else 0, "client": own}))
