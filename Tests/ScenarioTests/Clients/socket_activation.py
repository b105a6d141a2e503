"""A service manager with socket activation: it opens sockets, passes them to a program, and keeps them.

A program that ends with status 0 is started again with the same sockets; any other end is the end of this, with the
same status, as is the end after SIGTERM, which goes to the program. With "once" before the sockets it is not started
again, as another process has taken its place; the sockets stay open until SIGTERM.

Arguments: sockets, as tcp:127.0.0.1:8080 or udp:[::1]:8080, with "dual" for an IPv6 socket that takes IPv4 as well, as
in tcp-dual:[::]:8080; then -- and the words of the program. Source: sd_listen_fds(3).
"""
import ctypes
import fcntl
import os
import signal
import socket
import sys

FIRST = 3


def opened(word):
    kind, _, address = word.partition(":")
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    result = socket.socket(family, socket.SOCK_DGRAM if kind.startswith("udp") else socket.SOCK_STREAM)
    result.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    result.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if family == socket.AF_INET6:
        result.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if kind.endswith("dual") else 1)
    result.bind((host.strip("[]"), int(port)))
    if kind.startswith("tcp"):
        result.listen(4096)
    # Out of the way of the numbers at which they are passed.
    return fcntl.fcntl(result.detach(), fcntl.F_DUPFD_CLOEXEC, 100)


def start(descriptors, words, program):
    process = os.fork()
    if process:
        return process
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    for index, descriptor in enumerate(descriptors):
        os.dup2(descriptor, FIRST + index, inheritable=True)
    os.environ["LISTEN_PID"] = str(os.getpid())
    os.environ["LISTEN_FDS"] = str(len(descriptors))
    os.environ["LISTEN_FDNAMES"] = ":".join(word.partition(":")[0] for word in words)
    os.execvp(program[0], program)


def main():
    words = sys.argv[1 : sys.argv.index("--")]
    program = sys.argv[len(words) + 2 :]
    is_once = words[0] == "once"
    if is_once:
        del words[0]
    descriptors = [opened(word) for word in words]
    process = 0
    is_ending = False

    def end(*_):
        nonlocal is_ending
        is_ending = True
        os.kill(process, signal.SIGTERM)

    while True:
        process = start(descriptors, words, program)
        signal.signal(signal.SIGTERM, end)
        _, status = os.waitpid(process, 0)
        status = os.waitstatus_to_exitcode(status)
        if status != 0 or is_ending:
            sys.exit(status if status >= 0 else 1)
        if is_once:
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
            signal.pause()


main()
