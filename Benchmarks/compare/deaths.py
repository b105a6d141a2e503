"""Targets that die under load: failed requests, the longest wait of clients, and requests that were processed twice.

Three targets run on hosts of their own, network namespaces joined by a bridge. The proxy and the clients share another
one. In each run one target dies, stays dead for a while and comes back, while clients in a closed loop send GETs and
POSTs. The targets record every POST that they have read completely.
"""

import json
import pathlib
import signal
import subprocess
import time
import uuid

import report
from processes import Process, wait_until

SCRIPTS = pathlib.Path(__file__).resolve().parent.parent.parent / "Tests" / "ScenarioTests" / "Clients"
PYTHON = "/usr/bin/python3"
HOSTS = 3
GET_CONNECTIONS = 24
POST_CONNECTIONS = 8
# Seconds of load before a target dies, while it is dead, and after it has come back.
BEFORE, DEAD, AFTER = 2, 8, 3
# Seconds that an answer takes, so that there are requests on the target that dies.
ANSWER_SECONDS = 0.002


class Host:
    """One target and the namespace it runs in."""

    def __init__(self, network, number, folder, core):
        self.network = network
        self.namespace = f"{network}-{number}"
        self.number = number
        self.name = f"target-{number}"
        self.address = f"10.9.0.{10 + number}"
        self.folder = folder
        self.core = core
        self.record = folder / f"{self.name}.record"
        self.process = None

    def power_on(self):
        run(f"""
            ip netns add {self.namespace}
            ip -n {self.namespace} link set lo up
            ip -n {self.namespace} link add e0 type veth peer name p{self.number} netns {self.network}
            ip -n {self.namespace} link set e0 address 02:00:0a:09:00:{10 + self.number}
            ip -n {self.namespace} addr add {self.address}/24 dev e0
            ip -n {self.network} link set p{self.number} master br0
            ip -n {self.network} link set p{self.number} up
            ip -n {self.namespace} link set e0 up""")
        self.start()

    def power_off(self):
        """No packet leaves it any more, and all its connections are forgotten."""
        self.unplug()
        self.kill()
        run(f"ip -n {self.network} link del p{self.number}; ip netns del {self.namespace}")

    def start(self):
        words = ["ip", "netns", "exec", self.namespace, PYTHON, str(SCRIPTS / "recording_target.py"), self.address,
                 "8080", self.name, str(self.record), str(ANSWER_SECONDS)]
        self.process = Process(self.name, words, self.core, self.folder)

    def kill(self):
        self.process.child.kill()
        self.process.end()

    def stop(self):
        self.process.end()

    def freeze(self):
        self.process.child.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.child.send_signal(signal.SIGCONT)

    def unplug(self):
        run(f"ip -n {self.namespace} link set e0 down")

    def plug(self):
        run(f"ip -n {self.namespace} link set e0 up")

    def processed(self):
        return self.record.read_text().split() if self.record.exists() else []


class Network:
    """The hosts and the namespace of the proxy and its clients. A context: gone at its end."""

    def __init__(self, folder, core):
        self.name = f"apus-{uuid.uuid4().hex[:6]}"
        self.hosts = [Host(self.name, number, folder, core) for number in range(1, HOSTS + 1)]

    def __enter__(self):
        try:
            # The pair d0, d1 keeps the bridge up when hosts are unplugged.
            run(f"""
                ip netns add {self.name}
                ip -n {self.name} link set lo up
                ip -n {self.name} link add d0 type veth peer name d1
                ip -n {self.name} link add br0 type bridge
                ip -n {self.name} link set d0 master br0
                ip -n {self.name} addr add 10.9.0.1/24 dev br0
                ip -n {self.name} link set d0 up
                ip -n {self.name} link set d1 up
                ip -n {self.name} link set br0 up""")
            for host in self.hosts:
                host.power_on()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for host in self.hosts:
            if host.process:
                host.thaw()
                host.kill()
            subprocess.run(["ip", "netns", "del", host.namespace], stderr=subprocess.DEVNULL)
        subprocess.run(["ip", "netns", "del", self.name], stderr=subprocess.DEVNULL)


# What a death is called, and how it begins and ends.
DEATHS = [
    ("killed", "process killed", Host.kill, Host.start),
    ("stopped", "process stopped", Host.stop, Host.start),
    ("frozen", "process frozen", Host.freeze, Host.thaw),
    ("unplugged", "host unplugged", Host.unplug, Host.plug),
    ("rebooted", "host rebooted", Host.power_off, Host.power_on),
]


def unavailable():
    """Why no target can die here; None if it can."""
    try:
        run("name=apus-$$; ip netns add $name && ip -n $name link add br0 type bridge && ip netns del $name")
    except subprocess.CalledProcessError as failure:
        return failure.stderr.strip() or "network namespaces cannot be made"
    return None


class Outcome:
    """The results of one or more runs of one kind of death on one proxy, for GETs or POSTs."""

    def __init__(self):
        self.total = 0
        self.failed = 0
        self.longest = 0.0
        self.twice = 0
        # Failed though no target had processed them.
        self.lost = 0

    def add(self, told):
        self.total += told["answered"]
        self.failed += told["failed"]
        self.longest = max(self.longest, told["longest"])


def measure(compared, options):
    """Outcomes by death, method and proxy."""
    outcomes = {(death, method, proxy.name): Outcome()
                for death, *_ in DEATHS for method in ("GET", "POST") for proxy in compared}
    for number in range(options.death_rounds):
        for death, title, begin, end in DEATHS:
            for proxy in compared:
                measure_once(death, begin, end, proxy, options, outcomes)
                get, post = (outcomes[death, method, proxy.name] for method in ("GET", "POST"))
                print(f"round {number + 1}/{options.death_rounds}  {title:16}  {proxy.name:8}  so far GET "
                      f"{get.failed:,} of {get.total:,} failed, {get.longest:.2f} s; POST {post.failed:,} of "
                      f"{post.total:,} failed, {post.longest:.2f} s, {post.twice} twice", flush=True)
    return outcomes


def measure_once(death, begin, end, proxy, options, outcomes):
    folder = proxy.folder / f"death-{uuid.uuid4().hex[:6]}"
    folder.mkdir()
    with Network(folder, options.load_core) as network:
        process, port = start_proxy(proxy, network, folder, options.proxy_core)
        loops = {method: start_loop(network, method, connections, port, folder, options.load_core)
                 for method, connections in (("GET", GET_CONNECTIONS), ("POST", POST_CONNECTIONS))}
        time.sleep(BEFORE)
        begin(network.hosts[1])
        time.sleep(DEAD)
        end(network.hosts[1])
        time.sleep(AFTER)
        told = {method: finish_loop(loop) for method, loop in loops.items()}
        process.check_alive()
        process.end()
        processed = [name for host in network.hosts for name in host.processed()]
    for method, each in told.items():
        outcomes[death, method, proxy.name].add(each)
    posts = outcomes[death, "POST", proxy.name]
    posts.twice += len(processed) - len(set(processed))
    posts.lost += len({name for *_, name in told["POST"]["failures"]} - set(processed))


def start_proxy(proxy, network, folder, core):
    """Starts a proxy in front of the hosts, and waits until it answers through to each."""
    port = 8080
    configuration = folder / proxy.file_name
    configuration.write_text(CONFIGURATIONS[proxy.name](folder, port, [host.address for host in network.hosts]))
    proxy.configuration = configuration
    process = Process(f"{proxy.name}-death", ["ip", "netns", "exec", network.name, *proxy.words()], core, folder)

    def names():
        process.check_alive()
        told = subprocess.run(
            ["ip", "netns", "exec", network.name, "curl", "-s", "-m", "2", *[f"http://127.0.0.1:{port}/"] * 12],
            capture_output=True, text=True).stdout
        return set(told.split())

    wait_until(lambda: len(names()) == HOSTS, f"{proxy.title} passing requests to {HOSTS} targets")
    return process, port


def start_loop(network, method, connections, port, folder, core):
    words = ["ip", "netns", "exec", network.name, PYTHON, str(SCRIPTS / "closed_loop.py"), "127.0.0.1", str(port),
             "--method", method, "--connections", str(connections), "--label", method[0], "--pause", "0.002",
             "--seconds", "120"]
    return Process(f"loop-{method}", words, core, folder)


def finish_loop(loop):
    """Waits for the requests that are on their way; the report."""
    loop.child.send_signal(signal.SIGTERM)
    loop.child.wait(timeout=90)
    loop.end()
    return json.loads(loop.log.read_text().splitlines()[-1])


def result_table(compared, outcomes):
    """Requests that failed, of how many, and the longest that a client waited; last what became of POSTs in all."""
    titles = [f"{proxy.title} {proxy.version()}" for proxy in compared]
    lines = [["one of three targets, requests: failed; longest wait", *titles]]
    for death, title, *_ in DEATHS:
        for method in ("GET", "POST"):
            cells = [outcomes[death, method, proxy.name] for proxy in compared]
            figures = [f"{cell.failed:,} of {cell.total:,}; {cell.longest:.2f} s" for cell in cells]
            lines.append([f"{title}, {method}", *figures])
    posts = [[outcomes[death, "POST", proxy.name] for death, *_ in DEATHS] for proxy in compared]
    lines.append(["POSTs failed and not processed, in all", *[f"{sum(post.lost for post in each):,}" for each in posts]])
    lines.append(["POSTs processed twice, in all", *[f"{sum(post.twice for post in each):,}" for each in posts]])
    return report.table(lines)


def explanation(options):
    """What the table is about, in Markdown."""
    return (f"- {options.death_rounds} rounds, each with one target dead for {DEAD} s; {GET_CONNECTIONS} clients that "
            f"send GETs and {POST_CONNECTIONS} that send POSTs, each its next request when the last was answered\n"
            "- a request has failed if it was not answered with 200; the longest wait includes the time of those\n"
            "- checks every 0.5 s where there are checks, two failures; an answer may take 60 s everywhere")


def configurations(compared):
    """The configurations, in Markdown."""
    addresses = [f"10.9.0.{10 + number}" for number in range(1, HOSTS + 1)]
    return [f"{proxy.title}:\n\n```\n{CONFIGURATIONS[proxy.name]('FOLDER', 8080, addresses).strip()}\n```"
            for proxy in compared]


def run(script):
    """Runs lines of shell. Errors: CalledProcessError, with what was written to standard error."""
    subprocess.run(["/bin/sh", "-ec", script], check=True, capture_output=True, text=True)


# The best configuration of each, found by trying. Shorter limits on answers would end waits sooner, but slow answers as
# well.


def haproxy(folder, port, addresses):
    servers = "\n".join(f"    server t{number} {address}:8080" for number, address in enumerate(addresses))
    return f"""global
    nbthread 1
defaults
    mode http
    timeout connect 250ms
    timeout client 60s
    timeout server 60s
    timeout check 500ms
    http-reuse always
    retries 3
    option redispatch 1
    retry-on all-retryable-errors
frontend clients
    bind 127.0.0.1:{port}
    default_backend group
backend group
    balance roundrobin
    option httpchk GET /health
    http-request disable-l7-retry if METH_POST
    default-server check inter 500ms fastinter 100ms downinter 500ms fall 2 rise 2
    default-server observe layer7 error-limit 3 on-error sudden-death on-marked-down shutdown-sessions
{servers}
"""


def nginx(folder, port, addresses):
    servers = "\n".join(f"        server {address}:8080 max_fails=1 fail_timeout=1s;" for address in addresses)
    temporary = " ".join(f"{kind}_temp_path {folder}/{kind};"
                         for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return f"""daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4000; }}
http {{
    access_log off;
    {temporary}
    upstream group {{
{servers}
        keepalive 64;
    }}
    server {{
        listen 127.0.0.1:{port};
        keepalive_requests 1000000000;
        location / {{
            proxy_pass http://group;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_connect_timeout 250ms;
            proxy_read_timeout 60s;
            proxy_next_upstream error timeout http_502 http_503 http_504;
            proxy_next_upstream_tries 3;
        }}
    }}
}}
"""


def apus(folder, port, addresses):
    return json.dumps({
        "admin": {"socket": f"{folder}/admin.sock"},
        "runtime": {"workers": 1, "stateDirectory": f"{folder}/state"},
        "logs": {"access": {"path": "off"}},
        "loadBalancers": [{
            "name": "bench",
            "type": "application",
            "addresses": ["127.0.0.1"],
            "listeners": [{
                "protocol": "HTTP",
                "port": port,
                "defaultActions": [{"type": "forward", "targetGroupName": "group"}],
            }],
        }],
        "targetGroups": [{
            "name": "group",
            "targetType": "ip",
            "protocol": "HTTP",
            "port": 8080,
            "healthCheckPath": "/health",
            "healthCheckIntervalSeconds": 0.5,
            "healthCheckTimeoutSeconds": 0.5,
            "healthyThresholdCount": 2,
            "unhealthyThresholdCount": 2,
            "targets": [{"id": address} for address in addresses],
        }],
    }, indent=2) + "\n"


CONFIGURATIONS = {"haproxy": haproxy, "nginx": nginx, "apus": apus}
