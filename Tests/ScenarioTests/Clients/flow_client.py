"""A client that speaks TLS through a load balancer, and has its first bytes in its own hands.

Arguments: the port, the file of the roots, the name to ask for or -, how the ClientHello goes out (once, bytes or
half, which leaves out the rest of it), bytes in hexadecimal to send together with it or -, and what to send inside.
It prints the subject of the certificate that it was shown, and then what it got; or how the connection ended.
"""
import socket
import ssl
import sys

port, roots, name, how, first, text = int(sys.argv[1]), *sys.argv[2:7]
first = b"" if first == "-" else bytes.fromhex(first)
context = ssl.create_default_context(cafile=roots)
context.check_hostname = False
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
session = context.wrap_bio(incoming, outgoing, server_hostname=None if name == "-" else name)
connection = socket.create_connection(("127.0.0.1", port), timeout=30)
connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def step(work):
    """Does `work`, with as many exchanges of bytes as it takes."""
    while True:
        try:
            result = work()
            connection.sendall(outgoing.read())
            return result
        except ssl.SSLWantReadError:
            connection.sendall(outgoing.read())
            bytes = connection.recv(65536)
            if not bytes:
                raise ConnectionError("ended")
            incoming.write(bytes)


try:
    session.do_handshake()
except ssl.SSLWantReadError:
    hello = first + outgoing.read()
    if how == "bytes":
        for byte in hello:
            connection.sendall(bytes([byte]))
    else:
        connection.sendall(hello if how == "once" else hello[:len(hello) // 2])
try:
    if how == "half":
        bytes = connection.recv(65536)
        raise ConnectionError("ended" if not bytes else "answered")
    step(session.do_handshake)
    subject = session.getpeercert()["subject"]
    print("subject", subject[0][0][1])
    step(lambda: session.write(text.encode().decode("unicode_escape").encode()))
    print(step(lambda: session.read(65536)).decode())
except ConnectionResetError:
    print("reset")
except ConnectionError as error:
    print(error)
