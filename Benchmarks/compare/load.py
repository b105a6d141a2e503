"""Load on one proxy, and what it cost the proxy."""

import re
import socket
import ssl
import subprocess
import time

from processes import wait_until

CONNECTIONS = 64
HTTP2_REQUESTS = 200_000
HTTP2_PATHS = {"http2": "/small", "http2both": "/h2/small"}


class Row:
    """One kind of work, and how it is measured."""

    def __init__(self, name, title, unit, measure, without=()):
        self.name = name
        self.title = title
        self.unit = unit
        self.measure = measure
        # Proxies that cannot do it.
        self.without = without


class RequestsFailed(Exception):
    """Not every request was answered well, so the figures mean nothing."""


class Sample:
    """What one measurement of one proxy gave."""

    def __init__(self, figure, requests_per_second=None):
        self.figure = figure
        self.requests_per_second = requests_per_second


def wrk_words(url, seconds, core, headers=()):
    """The command line that makes the load."""
    words = ["taskset", "-c", str(core), "wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{seconds}s"]
    for header in headers:
        words += ["-H", header]
    return [*words, url]


def run_wrk(words):
    """Runs wrk and returns how many requests were answered, and how many per second.

    Errors: RequestsFailed if one was not."""
    text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    requests = int(re.search(r"(\d+) requests in", text)[1])
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
    if "Socket errors" in text or "Non-2xx" in text or requests == 0:
        raise RequestsFailed(f"{' '.join(words)}\n{text}")
    return requests, rate


def cpu_per_request(path, headers=(), large_buffers=False, tls=False):
    """A measurement: µs of the proxy's CPU time per request."""

    def measure(proxy, options):
        proxy.use_buffers(large_buffers)
        proxy.process.check_alive()
        run_wrk(wrk_words(proxy.url(path, tls), options.warmup, options.load_core, headers))
        before = proxy.process.cpu_seconds()
        requests, rate = run_wrk(wrk_words(proxy.url(path, tls), options.seconds, options.load_core, headers))
        used = proxy.process.cpu_seconds() - before
        return Sample(used / requests * 1e6, rate)

    return measure


def h2load_words(url, requests, core):
    """The command line that makes load over HTTP/2: 16 streams on each of the connections."""
    return ["taskset", "-c", str(core), "h2load", "-t", "1", "-c", str(CONNECTIONS), "-m", "16", "-n", str(requests), url]


def run_h2load(words):
    """Runs h2load and returns how many requests were answered per second.

    Errors: RequestsFailed if one was not."""
    text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    done = re.search(r"(\d+) total, \d+ started, \d+ done, (\d+) succeeded", text)
    ok = re.search(r"status codes: (\d+) 2xx", text)
    if not done or not ok or not done[1] == done[2] == ok[1]:
        raise RequestsFailed(f"{' '.join(words)}\n{text}")
    return float(re.search(r"finished in [^,]+, ([\d.]+) req/s", text)[1])


def cpu_per_http2_request(path):
    """A measurement: µs of the proxy's CPU time per request over HTTP/2 and TLS."""

    def measure(proxy, options):
        proxy.use_buffers(False)
        proxy.process.check_alive()
        url = proxy.url(path, tls=True)
        run_h2load(h2load_words(url, HTTP2_REQUESTS // 10, options.load_core))
        before = proxy.process.cpu_seconds()
        rate = run_h2load(h2load_words(url, HTTP2_REQUESTS, options.load_core))
        used = proxy.process.cpu_seconds() - before
        return Sample(used / HTTP2_REQUESTS * 1e6, rate)

    return measure


def memory_per_tls_connection(proxy, options):
    """A measurement: bytes that each of many idle TLS 1.3 connections holds in the proxy."""
    return memory_per_connection(proxy, options, tls=True)


def memory_per_connection(proxy, options, tls=False):
    """A measurement: bytes that each of many idle connections holds in the proxy, after one request on each."""
    proxy.large_buffers = False
    proxy.restart()
    clients = []
    try:
        # What the first requests make the proxy allocate belongs to no connection.
        port = proxy.tls_port if tls else proxy.port
        clients += [_idle_client(port, tls) for _ in range(50)]
        before = proxy.process.resident_kib()
        clients += [_idle_client(port, tls) for _ in range(options.connections)]
        _wait_until_steady(proxy.process)
        after = proxy.process.resident_kib()
    finally:
        for client in clients:
            client.close()
    return Sample((after - before) * 1024 / options.connections)


def syscalls_per_request(proxy, options):
    """System calls per keep-alive request, counted by strace, which slows everything and so is never timed."""
    proxy.use_buffers(False)
    identifiers = [word for identifier in proxy.process.ids() for word in ("-p", str(identifier))]
    trace = subprocess.Popen(["strace", "-c", "-f", *identifiers], stderr=subprocess.PIPE, text=True)
    try:
        attached = sum(1 for _ in zip(proxy.process.ids(), trace.stderr))
        if attached < len(proxy.process.ids()):
            raise SystemExit("strace cannot attach: is ptrace permitted?")
        requests, _ = run_wrk(wrk_words(proxy.url("/small"), 2, options.load_core))
    finally:
        trace.send_signal(2)
        text = trace.stderr.read()
        trace.wait()
    total = next(line for line in text.splitlines() if line.rstrip().endswith("total"))
    # Columns: % time, seconds, µs per call, calls, and errors if there were any.
    return int(total.split()[3]) / requests


ROWS = [
    Row("keepalive", "HTTP/1.1 keep-alive, 128 B", "µs", cpu_per_request("/small")),
    Row("connection", "New connection per request", "µs", cpu_per_request("/small", ["Connection: close"])),
    Row("large", "1 MiB response", "µs", cpu_per_request("/large")),
    Row("buffers", "1 MiB response, 64 KiB buffers", "µs", cpu_per_request("/large", large_buffers=True)),
    Row("https", "HTTPS keep-alive, 128 B", "µs", cpu_per_request("/small", tls=True)),
    Row("http2", "HTTP/2 to HTTP/1.1, 128 B", "µs", cpu_per_http2_request("/small")),
    Row("http2both", "HTTP/2 to HTTP/2, 128 B", "µs", cpu_per_http2_request("/h2/small"), without=("nginx",)),
    Row("handshake", "New TLS connection per request", "µs", cpu_per_request("/small", ["Connection: close"], tls=True)),
    Row("memory", "Memory per idle connection", "B", memory_per_connection),
    Row("tlsmemory", "Memory per idle TLS connection", "B", memory_per_tls_connection),
]


def _idle_client(port, tls=False):
    """A connection that has had one answer and stays open."""
    client = socket.create_connection(("127.0.0.1", port), timeout=10)
    if tls:
        client = _TLS.wrap_socket(client)
    client.sendall(b"GET /small HTTP/1.1\r\nHost: bench\r\n\r\n")
    answer = b""
    while not answer.endswith(b"x" * 128):
        part = client.recv(4096)
        if not part:
            raise SystemExit(f"a connection to port {port} was closed: {answer!r}")
        answer += part
    return client


# HTTP/1.1 is asked for, so that all measure the same.
_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
_TLS.check_hostname = False
_TLS.verify_mode = ssl.CERT_NONE
_TLS.set_alpn_protocols(["http/1.1"])


def _wait_until_steady(process):
    """Waits until the process's memory has stayed the same, but for a few pages, for a second."""
    last = [process.resident_kib(), time.monotonic()]

    def is_steady():
        now = process.resident_kib()
        if abs(now - last[0]) > 64:
            last[:] = [now, time.monotonic()]
        return time.monotonic() - last[1] > 1

    wait_until(is_steady, f"steady memory of {process.name}")
