"""A UDP echo target that accepts TCP connections on the same port for health checks.

Arguments: port.
"""
import socket
import sys
import threading

port = int(sys.argv[1])
listener = socket.create_server(("127.0.0.1", port), backlog=100)
datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagrams.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)  # SO_RCVBUFFORCE
datagrams.bind(("127.0.0.1", port))


def check():
    while True:
        listener.accept()[0].close()


threading.Thread(target=check, daemon=True).start()
while True:
    bytes, source = datagrams.recvfrom(65536)
    datagrams.sendto(bytes, source)
