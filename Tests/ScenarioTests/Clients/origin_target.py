"""Tells whoever connects, and its standard output, from where that was. Arguments: the addresses to listen on at 8080."""
import socket
import sys
import threading


def serve(listener):
    while True:
        connection, address = listener.accept()
        origin = "%s %d\n" % address[:2]
        sys.stdout.write(origin)
        sys.stdout.flush()
        try:
            connection.sendall(origin.encode())
            connection.close()
        except OSError:
            pass


for host in sys.argv[1:]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, 8080))
    listener.listen(64)
    threading.Thread(target=serve, args=(listener,)).start()
