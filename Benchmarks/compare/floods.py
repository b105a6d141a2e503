"""Floods and slow attacks: the latency of a bystander during them.

The floods are those of the scenarios, a table (Tests/ScenarioTests/Clients/floods.py). Apus has one worker, so that all
are served by one thread; a bystander on a connection of its own sends a request 2 ms after each answer. All processes
share two cores.
"""

import json
import os
import socket
import subprocess
import sys
import time

import proxies
import report

TABLE = os.path.join(os.path.dirname(__file__), "..", "..", "Tests", "ScenarioTests", "Clients", "floods.py")
CROWD = 100
# What a bystander may wait for: the 99th percentile, in milliseconds, beside one and beside all of a crowd.
BOUNDS = {1: 20, CROWD: 100}
PAUSE = 0.002
# How long a flood lasts before its effect is measured.
LEAD = 0.5


class FloodedApus(proxies.Apus):
    """Apus with HTTP/2 for clients that begin with it."""

    def text(self, port, target_port):
        configuration = json.loads(super().text(port, target_port))
        configuration["loadBalancers"][0]["attributes"]["apus.h2c.enabled"] = True
        return json.dumps(configuration)


def measure(folder, options):
    """The latencies without a flood, and by flood and number of attackers, in milliseconds: median and 99th percentile."""
    every = f"0-{os.cpu_count() - 1}"
    target, echo = proxies.Target(folder, every), proxies.Echo(folder, every)
    target.start()
    echo.start()
    apus = FloodedApus(folder, every)
    apus.start(target.port, target.tls_port, echo.port)
    alone = bystand(apus.port, options.seconds)
    print(f"alone: {describe(alone)}", flush=True)
    names = subprocess.run([sys.executable, TABLE, "names"], check=True, capture_output=True, text=True).stdout.split()
    results = {}
    for name in names:
        for count in BOUNDS:
            words = [sys.executable, TABLE, name, str(apus.port), str(apus.tls_port), str(count),
                     str(options.seconds + 2 * LEAD)]
            attack = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
            time.sleep(LEAD)
            results[name, count] = bystand(apus.port, options.seconds)
            told = json.loads(attack.communicate()[0])
            apus.process.check_alive()
            print(f"{name}, {count}: {describe(results[name, count])}, {told['connections']:,} connections, "
                  f"{told['bytes'] / 1e6:,.0f} MB{'' if told['asExpected'] else ', NOT AS EXPECTED'}", flush=True)
    return alone, results


def bystand(port, seconds):
    """The median and the 99th percentile of a bystander's waits, in milliseconds. Every request must be answered."""
    waits = []
    connection = socket.create_connection(("127.0.0.1", port), timeout=30)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        began = time.monotonic()
        connection.sendall(b"GET /small HTTP/1.1\r\nHost: bystander\r\n\r\n")
        answer = connection.recv(65536)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise SystemExit(f"a bystander's request failed: {answer[:200]}")
        waits.append(1000 * (time.monotonic() - began))
        time.sleep(PAUSE)
    connection.close()
    waits.sort()
    return waits[len(waits) // 2], waits[len(waits) * 99 // 100]


def describe(waits):
    return f"p50 {waits[0]:.1f} ms, p99 {waits[1]:.1f} ms"


def result_table(alone, results):
    """Aligned, in the order of the table of floods."""
    head = ["what strangers do", "one: p50", "p99, ms", f"{CROWD}: p50", "p99, ms"]
    lines = [head, ["nothing", f"{alone[0]:.1f}", f"{alone[1]:.1f}", "", ""]]
    for name in dict.fromkeys(name for name, _ in results):
        cells = [f"{wait:.1f}" for count in BOUNDS for wait in results[name, count]]
        lines.append([name.replace("_", " "), *cells])
    return report.table(lines)


def explanation():
    """What the table says, for its reader."""
    bounds = " and ".join(f"{bound} ms beside {count}" for count, bound in BOUNDS.items())
    return f"A bystander's waits in milliseconds. Bounds for the 99th percentile: {bounds}."
