"""The target server and the proxies under comparison, configured to do the same work.

Each listens for HTTP twice, without TLS and with it (HTTP/2 and HTTP/1.1 by ALPN, one ECDSA certificate), and sends
/h2/ to the target's HTTP/2 port if it can. Those that can pass on connections unread listen twice more for that,
without TLS and with it; those that can pass on datagrams, for these.

Each proxy: one worker, no access log, kept connections on both sides, and X-Forwarded-For, -Proto and -Port set, since
Apus always sets them. Buffers are as each program has them by default, except where a row asks for `large_buffers`:
then each has 64 KiB for a response, about what Apus has, because large responses cost as many system calls as buffers
take to fill.
"""

import json
import pathlib
import socket
import subprocess
import sys

import datagrams
import features
from processes import Process, wait_until

SMALL_BYTES = 128
LARGE_BYTES = 1024 * 1024


def free_port(kind=socket.SOCK_STREAM):
    """A port nobody listens on."""
    with socket.socket(type=kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """Something that listens: its name, version, configuration and, once started, its process and ports."""

    name = ""
    title = ""
    # Whether it passes on connections unread.
    tunnels = False

    def __init__(self, folder, core):
        self.folder = pathlib.Path(folder) / self.name
        self.folder.mkdir(parents=True, exist_ok=True)
        self.core = core
        self.process = None
        self.port = None
        self.tls_port = None
        self.tunnel_port = None
        self.tls_tunnel_port = None
        self.datagram_port = None
        # A port for each of features.FEATURES.
        self.feature_ports = {}
        self.large_buffers = False

    def start(self, target_port=None, http2_target_port=None, echo_port=None):
        """Starts it on fresh ports and waits until it answers through to the target."""
        self.port = free_port()
        self.tls_port = free_port()
        self.tunnel_port = free_port()
        self.tls_tunnel_port = free_port()
        self.datagram_port = free_port(socket.SOCK_DGRAM)
        self.feature_ports = {name: free_port() for name in features.FEATURES}
        self.target_port = target_port
        self.http2_target_port = http2_target_port
        self.echo_port = echo_port
        self.certificate, self.key = certificate(self.folder.parent)
        self.configuration = self.folder / self.file_name
        self.configuration.write_text(self.text(self.port, target_port))
        self.process = Process(self.name, self.words(), self.core, self.folder)
        wait_until(self._answers, f"{self.title} answering on port {self.port}")

    def stop(self):
        self.process.end()

    def use_buffers(self, large):
        """Starts it again if its buffers are of the other kind."""
        if self.large_buffers != large:
            self.large_buffers = large
            self.restart()

    def restart(self):
        self.stop()
        self.start(self.target_port, self.http2_target_port, self.echo_port)

    def entrance(self, tls=False, tunnel=False):
        """The port for connections of one kind."""
        if tunnel:
            return self.tls_tunnel_port if tls else self.tunnel_port
        return self.tls_port if tls else self.port

    def url(self, path, tls=False, tunnel=False, feature=None):
        port = self.feature_ports[feature] if feature else self.entrance(tls, tunnel)
        return f"{'https' if tls else 'http'}://127.0.0.1:{port}{path}"

    def _answers(self):
        self.process.check_alive()
        return all(map(self._answers_on, [self.port, self.tunnel_port] if self.tunnels else [self.port]))

    def _answers_on(self, port):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=2) as client:
                client.sendall(b"GET /small HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
                return client.recv(64).startswith(b"HTTP/1.1 200")
        except OSError:
            return False


class Target(Server):
    """nginx answering with fixed bodies from memory, cheaply enough never to be what is measured."""

    name = "target"
    title = "the target server"
    file_name = "nginx.conf"

    def text(self, port, _):
        (self.folder / "large").write_bytes(b"x" * LARGE_BYTES)
        return f"""daemon off;
worker_processes 1;
pid {self.folder}/nginx.pid;
error_log {self.folder}/error.log;
events {{ worker_connections 16000; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    keepalive_timeout 600;
    {_nginx_folders(self.folder)}
    server {{
        {" ".join(f"listen {host}:{port} backlog=4096;" for host in features.HOSTS)}
        root {self.folder};
        location = /small {{ return 200 "{'x' * SMALL_BYTES}"; }}
        location = /sticky/small {{ return 200 "{'x' * SMALL_BYTES}"; }}
    }}
    server {{
        listen 127.0.0.1:{self.tls_port} http2 backlog=4096;
        location / {{ return 200 "{'x' * SMALL_BYTES}"; }}
    }}
}}
"""

    def words(self):
        return ["nginx", "-p", str(self.folder), "-c", str(self.configuration)]


class Echo:
    """A program that answers every datagram of a size with itself."""

    def __init__(self, folder, core):
        self.folder = folder
        self.core = core
        self.port = None
        self.process = None

    def start(self):
        """Starts it on a fresh port and waits until it answers."""
        self.port = free_port(socket.SOCK_DGRAM)
        words = [sys.executable, datagrams.__file__, "echo", str(self.port)]
        self.process = Process("echo", words, self.core, self.folder)
        wait_until(self._answers, f"the echo of datagrams answering on port {self.port}")

    def _answers(self):
        self.process.check_alive()
        question = b"?" * datagrams.BYTES
        with socket.socket(type=socket.SOCK_DGRAM) as client:
            client.settimeout(0.2)
            client.connect(("127.0.0.1", self.port))
            try:
                client.send(question)
                return client.recv(datagrams.BYTES) == question
            except OSError:
                return False


_NGINX_FIELDS = (
    'proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host; '
    "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme; "
    "proxy_set_header X-Forwarded-Port $server_port;")


class Nginx(Server):
    name = "nginx"
    title = "nginx"
    file_name = "nginx.conf"
    tunnels = True

    def text(self, port, target_port):
        buffers, tunnel_buffers = "", ""
        if self.large_buffers:
            buffers = "proxy_buffer_size 8k; proxy_buffers 2 32k; proxy_busy_buffers_size 32k;"
            tunnel_buffers = "proxy_buffer_size 64k;"
        module = stream_module()
        return f"""{f"load_module {module};" if module else ""}
daemon off;
worker_processes 1;
pid {self.folder}/nginx.pid;
error_log {self.folder}/error.log;
worker_rlimit_nofile 20000;
events {{ worker_connections 16000; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 600;
    {_nginx_folders(self.folder)}
    upstream group {{
        server 127.0.0.1:{target_port};
        keepalive 512;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        listen 127.0.0.1:{self.tls_port} ssl http2 backlog=4096;
        ssl_certificate {self.certificate};
        ssl_certificate_key {self.key};
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_session_cache off;
        location / {{
            proxy_pass http://group;
            proxy_http_version 1.1;
            {buffers}
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Port $server_port;
        }}
    }}
    {"".join(features.nginx_sections(name, self.feature_ports[name], target_port, _NGINX_FIELDS)
             for name in features.FEATURES)}
}}
stream {{
    proxy_timeout 600s;
    {tunnel_buffers}
    server {{
        listen 127.0.0.1:{self.tunnel_port} backlog=4096;
        proxy_pass 127.0.0.1:{target_port};
    }}
    server {{
        listen 127.0.0.1:{self.tls_tunnel_port} ssl backlog=4096;
        ssl_certificate {self.certificate};
        ssl_certificate_key {self.key};
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_session_cache off;
        proxy_pass 127.0.0.1:{target_port};
    }}
    server {{
        listen 127.0.0.1:{self.datagram_port} udp;
        proxy_pass 127.0.0.1:{self.echo_port};
    }}
}}
"""

    def words(self):
        return ["nginx", "-p", str(self.folder), "-c", str(self.configuration)]

    def version(self):
        return _output(["nginx", "-v"]).split("/")[-1]


class HAProxy(Server):
    name = "haproxy"
    title = "HAProxy"
    file_name = "haproxy.cfg"
    tunnels = True

    def text(self, port, target_port):
        buffers = "tune.bufsize 65536" if self.large_buffers else ""
        return f"""global
    nbthread 1
    maxconn 9000
    {buffers}
defaults
    mode http
    timeout connect 10s
    timeout client 600s
    timeout server 600s
    timeout http-keep-alive 600s
    http-reuse always
    option http-keep-alive
frontend clients
    bind 127.0.0.1:{port} backlog 4096
    bind 127.0.0.1:{self.tls_port} backlog 4096 ssl crt {self._bundle()} alpn h2,http/1.1
    option forwardfor
    http-request set-header X-Forwarded-Proto http
    http-request set-header X-Forwarded-Port {port}
    use_backend http2 if {{ path_beg /h2/ }}
    use_backend sticky if {{ path_beg /sticky/ }}
    default_backend group
backend http2
    server target 127.0.0.1:{self.http2_target_port} proto h2
backend group
    server target 127.0.0.1:{target_port} pool-max-conn 512
backend sticky
    cookie SRV insert
    server target 127.0.0.1:{target_port} pool-max-conn 512 cookie a
frontend tunnels
    mode tcp
    bind 127.0.0.1:{self.tunnel_port} backlog 4096
    bind 127.0.0.1:{self.tls_tunnel_port} backlog 4096 ssl crt {self._bundle()}
    default_backend unread
backend unread
    mode tcp
    server target 127.0.0.1:{target_port}
{"".join(features.haproxy_sections(name, self.feature_ports[name], target_port) for name in features.FEATURES)}"""

    def _bundle(self):
        bundle = self.folder / "bundle.pem"
        bundle.write_text(pathlib.Path(self.certificate).read_text() + pathlib.Path(self.key).read_text())
        return bundle

    def words(self):
        return ["haproxy", "-db", "-f", str(self.configuration)]

    def version(self):
        return _output(["haproxy", "-v"]).split()[2]


class Nghttpx(Server):
    name = "nghttpx"
    title = "nghttpx"
    file_name = "nghttpx.conf"

    def text(self, port, target_port):
        return f"""workers=1
frontend=127.0.0.1,{port};no-tls
frontend=127.0.0.1,{self.tls_port}
backend=127.0.0.1,{target_port}
backend=127.0.0.1,{self.http2_target_port};/h2/;proto=h2
backend=127.0.0.1,{target_port};/sticky/;affinity=cookie;affinity-cookie-name=SRV
private-key-file={self.key}
certificate-file={self.certificate}
backlog=4096
worker-frontend-connections=20000
backend-connections-per-host=512
frontend-keep-alive-timeout=600
frontend-http2-read-timeout=600
no-ocsp=yes
add-x-forwarded-for=yes
errorlog-file={self.folder}/error.log
"""

    def words(self):
        return ["nghttpx", "--conf", str(self.configuration)]

    def version(self):
        return _output(["nghttpx", "--version"]).split("/")[-1]


class Floor(Server):
    """A relay in C that examines no byte (floor.c): the cost of two sockets on this kernel. It cannot choose a target, so
    each client has one connection of its own, and what is an HTTP listener elsewhere passes on connections as well."""

    name = "floor"
    title = "floor"
    file_name = "floor"
    tunnels = True

    def text(self, port, target_port):
        return ""

    def words(self):
        program = self.folder / "relay"
        if not program.exists():
            source = pathlib.Path(__file__).resolve().parent / "floor.c"
            subprocess.run(["cc", "-O2", "-o", str(program), str(source)], check=True)
        return [str(program), *map(str, (self.target_port, self.port, self.tunnel_port))]

    def version(self):
        return "(floor.c)"


class Apus(Server):
    name = "apus"
    title = "Apus"
    file_name = "apus.yaml"
    tunnels = True
    binary = ".build/release/apus"

    def text(self, port, target_port):
        return json.dumps({
            "admin": {"socket": f"{self.folder}/admin.sock"},
            "runtime": {"workers": 1, "stateDirectory": f"{self.folder}/state"},
            "logs": {"access": {"path": "off"}},
            "loadBalancers": [{
                "name": "bench",
                "type": "application",
                "addresses": ["127.0.0.1"],
                "attributes": {"idle_timeout.timeout_seconds": 600},
                "listeners": [{
                    "protocol": "HTTP",
                    "port": port,
                    "defaultActions": [{"type": "forward", "targetGroupName": "group"}],
                    "rules": [{
                        "priority": 1,
                        "conditions": [{"field": "path-pattern", "values": ["/sticky/*"]}],
                        "actions": [{"type": "forward", "targetGroupName": "sticky"}],
                    }],
                }, {
                    "protocol": "HTTPS",
                    "port": self.tls_port,
                    "certificates": [{"certificateFile": self.certificate, "privateKeyFile": self.key}],
                    "defaultActions": [{"type": "forward", "targetGroupName": "group"}],
                    "rules": [{
                        "priority": 1,
                        "conditions": [{"field": "path-pattern", "values": ["/h2/*"]}],
                        "actions": [{"type": "forward", "targetGroupName": "http2"}],
                    }],
                }, *({
                    "protocol": "HTTP",
                    "port": self.feature_ports[name],
                    "defaultActions": [{"type": "forward", "targetGroupName": name}],
                    "rules": features.apus_rules(name, name),
                } for name in features.FEATURES)],
            }, {
                "name": "unread",
                "type": "network",
                "addresses": ["127.0.0.1"],
                "listeners": [{
                    "protocol": "TCP",
                    "port": self.tunnel_port,
                    "defaultActions": [{"type": "forward", "targetGroupName": "tunnels"}],
                }, {
                    "protocol": "TLS",
                    "port": self.tls_tunnel_port,
                    "certificates": [{"certificateFile": self.certificate, "privateKeyFile": self.key}],
                    "defaultActions": [{"type": "forward", "targetGroupName": "tunnels"}],
                }, {
                    "protocol": "UDP",
                    "port": self.datagram_port,
                    "defaultActions": [{"type": "forward", "targetGroupName": "datagrams"}],
                }],
            }],
            "targetGroups": [{
                "name": "group",
                "targetType": "ip",
                "protocol": "HTTP",
                "port": target_port,
                "healthCheckPath": "/small",
                "targets": [{"id": "127.0.0.1", "port": target_port}],
            }, {
                "name": "sticky",
                "targetType": "ip",
                "protocol": "HTTP",
                "port": target_port,
                "healthCheckPath": "/small",
                "targets": [{"id": "127.0.0.1", "port": target_port}],
                "attributes": {"stickiness.enabled": True},
            }, {
                "name": "http2",
                "targetType": "ip",
                "protocol": "HTTP",
                "protocolVersion": "HTTP2",
                "port": self.http2_target_port,
                "targets": [{"id": "127.0.0.1"}],
            }, {
                "name": "tunnels",
                "targetType": "ip",
                "protocol": "TCP",
                "port": target_port,
                "targets": [{"id": "127.0.0.1"}],
            }, {
                "name": "datagrams",
                "targetType": "ip",
                "protocol": "UDP",
                "port": self.echo_port,
                "healthCheckPort": str(target_port),
                "targets": [{"id": "127.0.0.1"}],
            }, *({
                "name": name,
                "targetType": "ip",
                "protocol": "HTTP",
                "port": target_port,
                "healthCheckPath": "/small",
                "targets": [{"id": host} for host in features.HOSTS],
                "attributes": features.apus_attributes(name),
            } for name in features.FEATURES)],
        }, indent=2) + "\n"

    def words(self):
        return [self.binary, "run", str(self.configuration)]

    def version(self):
        return _output([self.binary, "--version"]).split()[1]


PROXIES = {proxy.name: proxy for proxy in (HAProxy, Nginx, Nghttpx, Floor, Apus)}


def _nginx_folders(folder):
    kinds = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    return " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)


def stream_module():
    """The module that nginx loads for TCP tunnels: empty if it is built in, None if it is missing."""
    arguments = _output(["nginx", "-V"], last=True).split()
    if "--with-stream" in arguments:
        return ""
    folder = next((word.partition("=")[2] for word in arguments if word.startswith("--modules-path=")), "")
    module = pathlib.Path(folder) / "ngx_stream_module.so"
    return str(module) if module.exists() else None


def certificate(folder):
    """The paths of a self-signed ECDSA certificate and its key, made once per run."""
    paths = str(folder / "certificate.pem"), str(folder / "key.pem")
    if not pathlib.Path(paths[0]).exists():
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "30", "-subj", "/CN=bench", "-addext", "subjectAltName=DNS:bench,IP:127.0.0.1",
             "-out", paths[0], "-keyout", paths[1]],
            check=True, capture_output=True)
    return paths


def _output(words, last=False):
    """The first or the last line of what a program says."""
    result = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True)
    return result.stdout.splitlines()[-1 if last else 0].strip()
