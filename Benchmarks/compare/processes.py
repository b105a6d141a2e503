"""Processes of a run: started on one core, measured through /proc, and ended by their ids."""

import os
import pathlib
import resource
import signal
import subprocess
import time

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")

# Everything started and not yet ended, so that nothing is left behind however a run ends.
_running = []


def raise_descriptor_limit():
    """Lets this process and what it starts open as many descriptors as the system permits."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Process:
    """One program pinned to one core; its output goes to a file."""

    def __init__(self, name, words, core, folder):
        self.name = name
        self.log = pathlib.Path(folder) / f"{name}.log"
        self.words = ["taskset", "-c", str(core), *words]
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        _running.append(self)

    def ids(self):
        """The process and its descendants."""
        parents = {}
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                fields = _stat(entry.name)
                if fields:
                    parents[int(entry.name)] = int(fields[1])
        found = [self.child.pid]
        for identifier in found:
            found += [child for child, parent in parents.items() if parent == identifier]
        return found

    def cpu_seconds(self):
        """User and system time that the process, its threads and its descendants have used. Source: proc(5), stat."""
        ticks = 0
        for identifier in self.ids():
            fields = _stat(identifier)
            ticks += int(fields[11]) + int(fields[12])
        return ticks / TICKS_PER_SECOND

    def resident_kib(self):
        """Resident memory of the process and its descendants. What they share counts more than once, so only the growth
        means something. (The proportional size would change whenever another process maps the same library.)
        Source: proc(5), smaps_rollup."""
        total = 0
        for identifier in self.ids():
            text = pathlib.Path(f"/proc/{identifier}/smaps_rollup").read_text()
            total += next(int(line.split()[1]) for line in text.splitlines() if line.startswith("Rss:"))
        return total

    def check_alive(self):
        """Fails with what the program wrote if it has ended."""
        if self.child.poll() is not None:
            tail = self.log.read_text(errors="replace")[-2000:]
            raise SystemExit(f"{self.name} ended with status {self.child.returncode}:\n{tail}")

    def end(self):
        """SIGTERM, and SIGKILL to whatever of it is there five seconds later."""
        if self not in _running:
            return
        _running.remove(self)
        identifiers = self.ids()
        self.child.send_signal(signal.SIGTERM)
        try:
            self.child.wait(timeout=5)
        except subprocess.TimeoutExpired:
            for identifier in identifiers:
                _kill(identifier)
            self.child.wait()


def end_all():
    """Ends what is still running, last started first."""
    for process in reversed(list(_running)):
        process.end()


def wait_until(condition, what, seconds=20):
    """Waits for `condition` to become true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise SystemExit(f"{what}: not within {seconds} seconds")
        time.sleep(0.02)


def _stat(identifier):
    """The fields of /proc/ID/stat from the state on; the name before it may hold spaces."""
    try:
        return pathlib.Path(f"/proc/{identifier}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _kill(identifier):
    try:
        os.kill(identifier, signal.SIGKILL)
    except ProcessLookupError:
        pass
