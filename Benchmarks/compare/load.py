"""Load on one proxy, and the proxy's cost."""

import json
import re
import socket
import ssl
import subprocess
import sys
import time
import urllib.request

import datagrams
import features
from processes import wait_until
from proxies import LARGE_BYTES

CONNECTIONS = 64
HTTP2_REQUESTS = 200_000
# Datagrams of a thousand that may be lost before the figures mean nothing.
LOSS_MAX = 10


class Row:
    """One kind of work, and how it is measured."""

    def __init__(self, name, title, unit, measure, words=None, bytes=None, without=(), has_floor=False, budget=None):
        self.name = name
        self.title = title
        self.unit = unit
        self.measure = measure
        # The command line that makes the load on a proxy, given the options.
        self.words = words
        # Bytes of a response, where there are so many that throughput is of interest.
        self.bytes = bytes
        # Proxies that cannot do it.
        self.without = tuple(without) + (() if has_floor else ("floor",))
        # What Apus must reach: a Budget, or None.
        self.budget = budget


class Budget:
    """The budget of Apus: a multiple of the best other proxy or of the floor, or an absolute figure."""

    def __init__(self, most, of):
        self.most = most
        self.of = of

    def __str__(self):
        return f"≤ {self.most:,} {self.of}" if self.of == "B" else f"≤ {self.most:.2f} × {self.of}"


class RequestsFailed(Exception):
    """Some requests failed, so the figures mean nothing."""


class Sample:
    """What one measurement of one proxy gave."""

    def __init__(self, figure, requests_per_second=None, lost=0):
        self.figure = figure
        self.requests_per_second = requests_per_second
        # Requests that were not answered, where that is no failure.
        self.lost = lost


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


def cookies_set_by(url):
    """The header with which a client sends back what a first response of `url` has set."""
    with urllib.request.urlopen(url) as response:
        values = response.headers.get_all("Set-Cookie") or []
    if not values:
        raise SystemExit(f"{url} sets no cookie")
    return "Cookie: " + "; ".join(value.split(";")[0] for value in values)


def cpu_per_request(words, large_buffers=False):
    """What measures the proxy's CPU time per request under the load of `words`."""

    def measure(proxy, options):
        proxy.use_buffers(large_buffers)
        proxy.process.check_alive()
        run_wrk(words(proxy, options, options.warmup))
        before = proxy.process.cpu_seconds()
        requests, rate = run_wrk(words(proxy, options))
        used = proxy.process.cpu_seconds() - before
        return Sample(used / requests * 1e6, rate)

    return measure


def http_row(name, title, path, headers=(), large_buffers=False, tls=False, tunnel=False, is_sticky=False, without=(),
             **about):
    """A row of HTTP/1.1: µs of the proxy's CPU time per request. Clients that are sticky send the proxy's cookies."""

    def words(proxy, options, seconds=None):
        url = proxy.url(path, tls, tunnel)
        cookies = [cookies_set_by(url)] if is_sticky else []
        return wrk_words(url, seconds or options.seconds, options.load_core, [*headers, *cookies])

    without = (*without, *(WITHOUT_TUNNELS if tunnel else ()))
    return Row(name, title, "µs", cpu_per_request(words, large_buffers), words, without=without, **about)


def feature_row(name):
    """A row of what a feature costs: µs of the proxy's CPU time per request."""
    title, without = features.FEATURES[name]

    def words(proxy, options, seconds=None):
        url = proxy.url("/small", feature=name)
        return wrk_words(url, seconds or options.seconds, options.load_core)

    return Row(name, title, "µs", cpu_per_request(words), words, without=(*without, "nghttpx"))


def h2load_words(url, requests, core):
    """The command line that makes load over HTTP/2: 16 streams on each of the connections."""
    words = ["taskset", "-c", str(core), "h2load", "-t", "1", "-c", str(CONNECTIONS), "-m", "16"]
    return [*words, "-n", str(requests), url]


def run_h2load(words):
    """Runs h2load and returns how many requests were answered per second.

    Errors: RequestsFailed if one was not."""
    text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    done = re.search(r"(\d+) total, \d+ started, \d+ done, (\d+) succeeded", text)
    ok = re.search(r"status codes: (\d+) 2xx", text)
    if not done or not ok or not done[1] == done[2] == ok[1]:
        raise RequestsFailed(f"{' '.join(words)}\n{text}")
    return float(re.search(r"finished in [^,]+, ([\d.]+) req/s", text)[1])


def http2_row(name, title, path, **about):
    """A row of HTTP/2 and TLS: µs of the proxy's CPU time per request."""

    def words(proxy, options, requests=HTTP2_REQUESTS):
        return h2load_words(proxy.url(path, tls=True), requests, options.load_core)

    def measure(proxy, options):
        proxy.use_buffers(False)
        proxy.process.check_alive()
        run_h2load(words(proxy, options, HTTP2_REQUESTS // 10))
        before = proxy.process.cpu_seconds()
        rate = run_h2load(words(proxy, options))
        used = proxy.process.cpu_seconds() - before
        return Sample(used / HTTP2_REQUESTS * 1e6, rate)

    return Row(name, title, "µs", measure, words, **about)


def datagram_words(proxy, options, seconds=None):
    """The command line that makes load of datagrams."""
    words = ["taskset", "-c", str(options.load_core), sys.executable, datagrams.__file__, "load"]
    return [*words, str(proxy.datagram_port), "--seconds", str(seconds or options.seconds)]


def run_datagrams(words):
    """Runs the load of datagrams and returns how many were answered, how many per second, and how many were lost.

    Errors: RequestsFailed if too many were lost."""
    text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    result = json.loads(text)
    answered, lost = result["answered"], result["lost"]
    if answered == 0 or lost * 1000 > answered * LOSS_MAX:
        raise RequestsFailed(f"{' '.join(words)}\n{text}")
    return answered, answered / result["seconds"], lost


def cpu_per_datagram(proxy, options):
    """A measurement: µs of the proxy's CPU time per datagram that goes to the target and comes back."""
    proxy.use_buffers(False)
    proxy.process.check_alive()
    run_datagrams(datagram_words(proxy, options, options.warmup))
    before = proxy.process.cpu_seconds()
    answered, rate, lost = run_datagrams(datagram_words(proxy, options))
    used = proxy.process.cpu_seconds() - before
    return Sample(used / answered * 1e6, rate, lost)


def memory_row(name, title, tls=False, tunnel=False, budget=None):
    """A row of memory: bytes that each of many idle connections holds in the proxy, after one request on each."""

    def measure(proxy, options):
        return memory_per_connection(proxy, options, tls, tunnel)

    return Row(name, title, "B", measure, without=WITHOUT_TUNNELS if tunnel else (), budget=budget)


def memory_per_connection(proxy, options, tls, tunnel):
    proxy.large_buffers = False
    proxy.restart()
    clients = []
    try:
        # What the first requests make the proxy allocate belongs to no connection.
        port = proxy.entrance(tls, tunnel)
        clients += [_idle_client(port, tls) for _ in range(50)]
        before = proxy.process.resident_kib()
        clients += [_idle_client(port, tls) for _ in range(options.connections)]
        _wait_until_steady(proxy.process)
        after = proxy.process.resident_kib()
    finally:
        for client in clients:
            client.close()
    return Sample((after - before) * 1024 / options.connections)


def syscalls_per_request(row, proxy, options):
    """System calls per request of a row, counted by strace, which slows everything and so is never timed."""
    proxy.use_buffers(False)
    identifiers = [word for identifier in proxy.process.ids() for word in ("-p", str(identifier))]
    trace = subprocess.Popen(["strace", "-c", "-f", *identifiers], stderr=subprocess.PIPE, text=True)
    try:
        attached = sum(1 for _ in zip(proxy.process.ids(), trace.stderr))
        if attached < len(proxy.process.ids()):
            raise SystemExit("strace cannot attach: is ptrace permitted?")
        requests, _ = run_wrk(row.words(proxy, options, seconds=2))
    finally:
        trace.send_signal(2)
        text = trace.stderr.read()
        trace.wait()
    total = next(line for line in text.splitlines() if line.rstrip().endswith("total"))
    # Columns: % time, seconds, µs per call, calls, and errors if there were any.
    return int(total.split()[3]) / requests


# Proxies without TCP tunnels, and those without UDP.
WITHOUT_TUNNELS = ("nghttpx",)
WITHOUT_DATAGRAMS = ("haproxy", "nghttpx")
CLOSE = ["Connection: close"]

ROWS = [
    http_row("keepalive", "HTTP/1.1 keep-alive, 128 B", "/small", has_floor=True, budget=Budget(1.10, "floor")),
    http_row("sticky", "HTTP/1.1 keep-alive with sticky cookies, 128 B", "/sticky/small", is_sticky=True,
             without=("nginx",)),
    http_row("connection", "New connection per request", "/small", CLOSE, budget=Budget(0.85, "best")),
    http_row("large", "1 MiB response", "/large", bytes=LARGE_BYTES, has_floor=True, budget=Budget(1.0, "floor")),
    http_row("buffers", "1 MiB response, 64 KiB buffers", "/large", large_buffers=True, bytes=LARGE_BYTES,
             has_floor=True),
    http_row("https", "HTTPS keep-alive, 128 B", "/small", tls=True, budget=Budget(0.80, "best")),
    http2_row("http2", "HTTP/2 to HTTP/1.1, 128 B", "/small", budget=Budget(0.75, "best")),
    http2_row("http2both", "HTTP/2 to HTTP/2, 128 B", "/h2/small", without=("nginx",)),
    http_row("handshake", "New TLS connection per request", "/small", CLOSE, tls=True, budget=Budget(0.80, "best")),
    http_row("tcp", "TCP tunnel, keep-alive, 128 B", "/small", tunnel=True, has_floor=True,
             budget=Budget(1.03, "floor")),
    http_row("tcpnew", "TCP tunnel per request", "/small", CLOSE, tunnel=True),
    http_row("tcpbulk", "TCP tunnel, 1 MiB", "/large", tunnel=True, bytes=LARGE_BYTES, has_floor=True,
             budget=Budget(1.0, "floor")),
    http_row("tcpbuffers", "TCP tunnel, 1 MiB, 64 KiB buffers", "/large", large_buffers=True, tunnel=True,
             bytes=LARGE_BYTES, has_floor=True),
    http_row("tlstcp", "TLS to TCP tunnel, keep-alive, 128 B", "/small", tls=True, tunnel=True),
    Row("udp", f"UDP there and back, {datagrams.BYTES} B", "µs", cpu_per_datagram, datagram_words,
        without=WITHOUT_DATAGRAMS),
    *map(feature_row, features.FEATURES),
    memory_row("memory", "Memory per idle connection", budget=Budget(600, "B")),
    memory_row("tlsmemory", "Memory per idle TLS connection", tls=True, budget=Budget(14_600, "B")),
    memory_row("tunnelmemory", "Memory per idle TCP tunnel", tunnel=True),
]
SYSCALL_ROWS = [row for row in ROWS if row.name in ("keepalive", "tcp")]


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
