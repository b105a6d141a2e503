"""Prints its own address and port, and those that the target has seen.

Arguments: host and port to connect to, the port to connect from, tcp or tls, and perhaps what to send first.
"""
import socket
import ssl
import sys

host, port, own, how = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
connection = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
connection.settimeout(10)
connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
connection.bind(("::" if ":" in host else "0.0.0.0", own))
connection.connect((host, port))
print("%s %d" % connection.getsockname()[:2])
if len(sys.argv) > 5:
    connection.sendall(sys.argv[5].encode() + b"\r\n")
if how == "tls":
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = context.wrap_socket(connection)
print(connection.recv(100).decode(), end="")
