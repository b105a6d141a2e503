"""What health checks cost: the processor time of the control thread that checks many targets.

The targets are addresses of 127.0.0.0/8, answered by one process on the other core. Apus serves nothing meanwhile, so
all that it takes is for checks. Every target is healthy before the time begins.
"""

import json
import os
import pathlib
import select
import socket
import subprocess
import sys
import time

import processes
import report

# Targets, and seconds from one check of a target to the next.
ROWS = [(1_000, 5), (10_000, 5), (10_000, 10)]
# What the row of 10,000 targets at 5 s may take of one core, in percent.
BUDGET = {(10_000, 5): 20}
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n"


def measure(folder, options):
    """Of each row the processor time by checks, and how many were made: (percent of a core, checks a second, µs)."""
    processes.raise_descriptor_limit()
    port = free_port()
    target = processes.Process("checked", [sys.executable, __file__, str(port)], options.load_core, folder)
    processes.wait_until(lambda: takes_connections(port), "the target takes connections")
    results = {}
    for count, interval in ROWS:
        admin = pathlib.Path(folder) / "checks.sock"
        text = configuration(folder, admin, port, count, interval)
        file = pathlib.Path(folder) / "checks.json"
        file.write_text(text)
        apus = processes.Process("checks", [options.apus, "run", str(file)], options.proxy_core, folder)
        processes.wait_until(lambda: counted(admin, "apus_targets", 'state="healthy"') == count,
                             f"{count} healthy targets", 120)
        time.sleep(interval)
        shares, rates = [], []
        for _ in range(options.rounds):
            before, made, began = apus.cpu_seconds(), checks(admin), time.monotonic()
            time.sleep(2 * interval)
            took = time.monotonic() - began
            shares.append((apus.cpu_seconds() - before) / took * 100)
            rates.append((checks(admin) - made) / took)
        apus.check_alive()
        target.check_alive()
        apus.end()
        share, rate = sorted(shares)[len(shares) // 2], sorted(rates)[len(rates) // 2]
        results[count, interval] = (share, rate, share / 100 / rate * 1e6)
        print(f"{count} targets at {interval} s: {share:.1f} % of a core, {rate:.0f} checks/s", flush=True)
    target.end()
    return results


def result_table(results):
    """The table, with budgets."""
    lines = [["health checks", "of one core", "checks/s", "µs each", "budget"]]
    for (count, interval), (share, rate, each) in results.items():
        budget = BUDGET.get((count, interval))
        verdict = "" if budget is None else f"{budget} %: {'hit' if share < budget else 'miss'}"
        lines.append([f"{count:,} targets, every {interval} s", f"{share:.1f} %", f"{rate:,.0f}", f"{each:.0f}", verdict])
    return report.table(lines)


def explanation():
    """What the table says, for its reader."""
    return "Processor time, user and system, of an Apus that does nothing but check; answers come from the other core."


def configuration(folder, admin, port, count, interval):
    """A group of so many targets that are checked."""
    targets = [{"id": f"127.{1 + index // 65536}.{index // 256 % 256}.{index % 256}"} for index in range(1, count + 1)]
    return json.dumps({
        "admin": {"socket": str(admin)}, "runtime": {"workers": 1, "stateDirectory": f"{folder}/checks"},
        "logs": {"access": {"path": "off"}},
        "loadBalancers": [{"name": "web", "addresses": ["127.0.0.1"], "listeners": [
            {"protocol": "HTTP", "port": free_port(),
             "defaultActions": [{"type": "forward", "targetGroupName": "all"}]}]}],
        "targetGroups": [{"name": "all", "targetType": "ip", "protocol": "HTTP", "port": port, "targets": targets,
                          "healthCheckIntervalSeconds": interval, "healthCheckTimeoutSeconds": 2}]})


def metrics(admin):
    """The lines of the metrics page."""
    words = ["curl", "-s", "--unix-socket", str(admin), "http://apus/metrics"]
    return subprocess.run(words, check=False, capture_output=True, text=True).stdout.splitlines()


def counted(admin, name, label):
    """The sum of the samples with this name and label."""
    return sum(float(line.split()[-1]) for line in metrics(admin) if line.startswith(name + "{") and label in line)


def checks(admin):
    """Checks so far, of which none may have failed."""
    failed = counted(admin, "apus_health_checks_total", 'result="failed"')
    if failed:
        raise SystemExit(f"{failed:.0f} checks have failed")
    return counted(admin, "apus_health_checks_total", 'result="passed"')


def free_port():
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("0.0.0.0", 0))
        return probe.getsockname()[1]


def takes_connections(port):
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answer(port):
    """Answers every request at this port, and closes."""
    listener = socket.create_server(("0.0.0.0", port), backlog=4096)
    listener.setblocking(False)
    poller = select.epoll()
    poller.register(listener, select.EPOLLIN)
    clients = {}
    while True:
        for descriptor, _ in poller.poll():
            if descriptor != listener.fileno():
                client = clients.pop(descriptor)
                try:
                    if client.recv(4096):
                        client.send(ANSWER)
                except OSError:
                    pass
                client.close()
                continue
            while True:
                try:
                    client, _ = listener.accept()
                except BlockingIOError:
                    break
                clients[client.fileno()] = client
                poller.register(client, select.EPOLLIN)


if __name__ == "__main__":
    answer(int(sys.argv[1]))
