#!/usr/bin/env python3
"""Runs Apus, HAProxy, nginx and nghttpx side by side and writes what a request costs each, and a target's death.

Beside them runs the floor, a relay in C that looks at no byte (floor.c), where that is comparable. Each row says what
Apus costs compared with the best other and with the floor, and whether that is within its budget.

The figure is the proxy's own CPU time per request, user and system, from /proc: it does not depend on how fast the load
generator is. Each proxy has one core to itself; the load generator and the target server have another. Rounds are
interleaved, so that whatever else the machine does hits all alike, and medians are reported.

The second table is of targets that die (deaths.py). It needs network namespaces, and so root. The third is of strangers
who flood Apus (floods.py), the fourth of what health checks cost (checks.py). `--tables deaths` makes one alone.
"""

import argparse
import collections
import datetime
import json
import os
import pathlib
import platform
import shutil
import signal
import sys
import tempfile

import checks
import datagrams
import deaths
import floods
import load
import processes
import proxies
import report

RESULTS = pathlib.Path(__file__).resolve().parent.parent / "results"


def main():
    options = parse_options()
    rows = [row for row in load.ROWS if row.name in options.rows]
    rows = [row for row in rows if set(options.only) - set(row.without)]
    descriptors = processes.raise_descriptor_limit()
    if options.connections * 2 + 1000 > descriptors:
        raise SystemExit(f"{options.connections} connections need more than the {descriptors} descriptors there are")
    folder = tempfile.mkdtemp(prefix="apus-compare-")
    # nginx's worker may run as another user, and must reach its folders and the target's file.
    os.chmod(folder, 0o755)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        proxies.Apus.binary = options.apus
        compared = [proxies.PROXIES[name](folder, options.proxy_core) for name in options.only]
        if "cost" in options.tables:
            compare_costs(rows, compared, folder, options)
        if "deaths" in options.tables:
            compare_deaths([proxy for proxy in compared if proxy.name in deaths.CONFIGURATIONS], options)
        if "floods" in options.tables:
            measure_floods(folder, options)
        if "checks" in options.tables:
            measure_checks(folder, options)
    finally:
        processes.end_all()
        shutil.rmtree(folder, ignore_errors=True)


def compare_costs(rows, compared, folder, options):
    """What a request costs each."""
    target = proxies.Target(folder, options.load_core)
    target.start()
    echo = proxies.Echo(folder, options.load_core)
    echo.start()
    for proxy in compared:
        proxy.start(target.port, target.tls_port, echo.port)
        print(f"{proxy.title} {proxy.version()} on port {proxy.port}", flush=True)
    results = measure(rows, compared, options)
    syscalls = None
    if options.syscalls:
        print("system calls", flush=True)
        syscalls = {(row.name, proxy.name): load.syscalls_per_request(row, proxy, options)
                    for row in load.SYSCALL_ROWS for proxy in compared if proxy.name not in row.without}
    write(rows, compared, results, syscalls, options)
    processes.end_all()


def compare_deaths(compared, options):
    """The effect of a target's death on the clients of each proxy."""
    why = deaths.unavailable()
    if why:
        return print(f"no table of deaths: {why}")
    result = deaths.result_table(compared, deaths.measure(compared, options))
    sections = ["# When a target dies", result, when_and_where(options) + "\n" + deaths.explanation(options),
                *deaths.configurations(compared)]
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "deaths.md").write_text("\n\n".join(sections) + "\n")
    print(f"\n{result}\n\nwritten to {os.path.relpath(options.output)}/deaths.md")


def measure_floods(folder, options):
    """The latency of a bystander during floods and slow attacks on Apus."""
    result = floods.result_table(*floods.measure(folder, options))
    sections = ["# When strangers flood it", floods.explanation(), result, when() + "\n" + how()]
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "floods.md").write_text("\n\n".join(sections) + "\n")
    print(f"\n{result}\n\nwritten to {os.path.relpath(options.output)}/floods.md")
    processes.end_all()


def measure_checks(folder, options):
    """What Apus needs to check many targets."""
    result = checks.result_table(checks.measure(folder, options))
    sections = ["# What health checks cost", checks.explanation(), result, when() + "\n" + how()]
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "checks.md").write_text("\n\n".join(sections) + "\n")
    print(f"\n{result}\n\nwritten to {os.path.relpath(options.output)}/checks.md")
    processes.end_all()


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = list(proxies.PROXIES)
    row_names = [row.name for row in load.ROWS]

    def listed(choices):
        def parse(text):
            chosen = text.split(",")
            unknown = [name for name in chosen if name not in choices]
            if unknown:
                raise argparse.ArgumentTypeError(f"unknown {', '.join(unknown)}; there are {', '.join(choices)}")
            return chosen
        return parse

    tables = ["cost", "deaths", "floods", "checks"]
    parser.add_argument("--tables", type=listed(tables), default=tables, help=f"{','.join(tables)} (default all)")
    parser.add_argument("--death-rounds", type=int, default=3, help="deaths of each kind (default 3)")
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each (default 5)")
    parser.add_argument("--seconds", type=int, default=5, help="length of each (default 5)")
    parser.add_argument("--warmup", type=int, default=1, help="seconds of load before each (default 1)")
    parser.add_argument("--rows", type=listed(row_names), default=row_names, help=",".join(row_names))
    parser.add_argument("--only", type=listed(names), default=names, help=",".join(names))
    parser.add_argument("--connections", type=int, default=5000, help="idle connections (default 5000)")
    parser.add_argument("--syscalls", action="store_true", help="count system calls as well; needs strace")
    parser.add_argument("--apus", default=".build/release/apus", help="the binary (default .build/release/apus)")
    parser.add_argument("--proxy-core", type=int, default=0, help="core of the proxies (default 0)")
    parser.add_argument("--load-core", type=int, default=1, help="core of load and target (default 1)")
    parser.add_argument("--output", type=pathlib.Path, default=RESULTS, help="folder of the results")
    options = parser.parse_args()
    if len(os.sched_getaffinity(0)) < 2:
        parser.error("two cores are needed: one for the proxy, one for the load")
    tools = ["taskset", "wrk", "h2load", "openssl", "nginx", "ip", "curl"]
    tools += [name for name in options.only if name not in ("apus", "floor")]
    if "floor" in options.only:
        tools.append("cc")
    if "apus" in options.only:
        tools.append(options.apus)
    if options.syscalls:
        tools.append("strace")
    missing = [tool for tool in tools if not shutil.which(tool)]
    if missing:
        parser.error(f"not found: {', '.join(missing)}. `make bench` builds and installs what is needed")
    if "nginx" in options.only and proxies.stream_module() is None:
        parser.error("nginx has no stream module. Debian and Ubuntu have it as libnginx-mod-stream")
    return options


def measure(rows, compared, options):
    """Samples by row and proxy. The order of proxies changes from round to round."""
    results = collections.defaultdict(list)
    for number in range(options.rounds):
        for row in rows:
            turn = number % len(compared)
            for proxy in compared[turn:] + compared[:turn]:
                if proxy.name in row.without:
                    continue
                sample = measure_once(row, proxy, options)
                results[row.name, proxy.name].append(sample)
                rate = f", {sample.requests_per_second:,.0f} requests/s" if sample.requests_per_second else ""
                lost = f", {sample.lost:,} lost" if sample.lost else ""
                print(f"round {number + 1}/{options.rounds}  {row.name:12}  {proxy.name:8}  "
                      f"{report.number(sample.figure)} {row.unit}{rate}{lost}", flush=True)
    return results


def measure_once(row, proxy, options):
    """One sample. A measurement in which requests fail is shown and repeated, twice; then the run ends."""
    for attempt in range(3):
        try:
            return row.measure(proxy, options)
        except load.RequestsFailed as failure:
            print(f"{row.name}, {proxy.name}: requests failed, attempt {attempt + 1}\n{failure}", flush=True)
    raise SystemExit(f"{proxy.title} does not answer every request of row {row.name}: {proxy.process.log}")


def write(rows, compared, results, syscalls, options):
    """Writes compare.md, compare.svg and compare.json, and prints the table."""
    options.output.mkdir(parents=True, exist_ok=True)
    result = report.result_table(rows, compared, results)
    sections = [
        "# Apus beside others",
        "CPU time of the proxy per request (user + system, all its threads and processes), and memory per idle\n"
        f"connection: medians of {options.rounds} interleaved rounds of {options.seconds} s (ranges in parentheses).",
        result,
        report.rate_table(rows, compared, results),
        report.throughput_table(rows, compared, results),
        report.syscall_table(load.SYSCALL_ROWS, compared, syscalls) if syscalls else "",
        "![chart](compare.svg)",
        "## How",
        f"{when_and_where(options)}\n"
        f"- {load.CONNECTIONS} connections; {options.connections:,} idle ones for memory\n"
        f"- datagrams: {datagrams.FLOWS} flows, each with {datagrams.IN_FLIGHT_PER_FLOW} in flight; "
        f"{sum(sample.lost for each in results.values() for sample in each):,} lost in all",
        "Load, here on the first proxy that can do it:",
        "```\n" + "\n".join(commands(rows, compared, options)) + "\n```",
    ]
    for proxy in compared:
        proxy.large_buffers = False
        text = "\n".join(filter(str.strip, proxy.text(proxy.port, proxy.target_port).splitlines()))
        command = f"{proxy.title}: `{' '.join(proxy.process.words)}`"
        sections += [f"{command}, where `{proxy.file_name}` is", f"```\n{text}\n```"] if text else [command]
    (options.output / "compare.md").write_text("\n\n".join(filter(None, sections)) + "\n")
    (options.output / "compare.svg").write_text(report.chart(rows, compared, results))
    samples = {f"{row} {proxy}": [sample.figure for sample in each] for (row, proxy), each in results.items()}
    (options.output / "compare.json").write_text(json.dumps(samples, indent=1) + "\n")
    print(f"\n{result}\n\nwritten to {os.path.relpath(options.output)}/compare.md and compare.svg")


def commands(rows, compared, options):
    """The command lines that make the load, where it is made by one."""
    for row in rows:
        proxy = next((proxy for proxy in compared if proxy.name not in row.without), None)
        if row.words and proxy:
            yield " ".join(f"'{word}'" if " " in word else word for word in row.words(proxy, options))


def when_and_where(options):
    """The run, the machine and its cores, as lines of a list."""
    return (f"{when()}\n"
            f"- proxies on core {options.proxy_core}, load and target servers on core {options.load_core}\n"
            f"{how()}")


def when():
    """The time and the machine, as a line of a list."""
    return f"- {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC, {machine()}"


def how():
    """The command, as a line of a list."""
    return f"- `compare.py {' '.join(sys.argv[1:])}`".rstrip(" `") + "`"


def machine():
    """Processor, cores and kernel."""
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    return f"{model}, {os.cpu_count()} cores, Linux {platform.release()}"


if __name__ == "__main__":
    main()
