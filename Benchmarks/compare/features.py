"""What a feature costs on top of plain turns among three targets: balancing algorithms, limits, many rules.

Each proxy has a listener for each feature, with the nearest that it can do. All features share the target server, which
listens on three addresses.
"""

HOSTS = ["127.0.0.1", "127.0.0.2", "127.0.0.3"]
RULES = 1000

# The name of each, what it is, and the proxies that have nothing like it.
FEATURES = {
    "turns": ("Round robin", ()),
    "least": ("Least outstanding requests", ()),
    "random": ("Weighted random", ()),
    "latency": ("Least latency (the others: fewer requests of two)", ()),
    "hash": ("Consistent hash of the address, bounded", ()),
    "limits": ("A limit per target, not reached", ()),
    "rules": ("1,000 rules of every kind", ()),
    "ratelimit": ("A rate limit, not reached", ()),
}


def apus_attributes(name):
    """The attributes of the target group."""
    return {
        "least": {"load_balancing.algorithm.type": "least_outstanding_requests"},
        "random": {"load_balancing.algorithm.type": "weighted_random"},
        "latency": {"load_balancing.algorithm.type": "apus.least_latency"},
        "hash": {"load_balancing.algorithm.type": "apus.consistent_hash"},
        "limits": {"apus.target.max_requests": 1000},
    }.get(name, {})


def apus_rules(name, group):
    """The rules of the listener; the last one matches."""
    action = [{"type": "forward", "targetGroupName": group}]
    last = {"priority": RULES + 1, "actions": action,
            "conditions": [{"field": "path-pattern", "values": ["/small"]}]}
    if name == "ratelimit":
        return [{**last, "apus.rateLimit": {"requestsPerSecond": 1_000_000, "burst": 1_000_000}}]
    if name != "rules":
        return []
    return [{"priority": number + 1, "conditions": [_apus_condition(number)], "actions": action}
            for number in range(RULES)] + [last]


def _verb(number):
    """A method of its own for a number."""
    return "VERB-" + "".join(chr(ord("A") + int(digit)) for digit in str(number))


def _apus_condition(number):
    return [
        {"field": "host-header", "values": [f"h{number}.example.com"]},
        {"field": "host-header", "values": [f"*.h{number}.example.com"]},
        {"field": "path-pattern", "values": [f"/p{number}/*"]},
        {"field": "path-pattern", "pathPatternConfig": {"regexValues": [f"^/r{number}/[0-9]+$"]}},
        {"field": "http-header", "httpHeaderConfig": {"httpHeaderName": "X-Kind", "values": [f"k{number}"]}},
        {"field": "query-string", "queryStringConfig": {"values": [{"key": "q", "value": str(number)}]}},
        {"field": "source-ip", "sourceIpConfig": {"values": [f"10.{number // 250}.{number % 250}.0/24"]}},
        {"field": "http-request-method", "httpRequestMethodConfig": {"values": [_verb(number)]}},
    ][number % 8]


def haproxy_sections(name, port, target_port):
    """A frontend and its backend."""
    balance = {"least": "leastconn", "random": "random(1)", "latency": "random(2)", "hash": "source"}.get(name, "roundrobin")
    lines = [f"frontend {name}", f"    bind 127.0.0.1:{port} backlog 4096", "    option forwardfor",
             "    http-request set-header X-Forwarded-Proto http",
             f"    http-request set-header X-Forwarded-Port {port}"]
    if name == "ratelimit":
        lines += ["    stick-table type ip size 32k expire 60s store http_req_rate(1s)",
                  "    http-request track-sc0 src",
                  "    http-request deny deny_status 429 if { sc_http_req_rate(0) gt 1000000 }"]
    if name == "rules":
        lines += [f"    use_backend {name} if {_haproxy_condition(number)}" for number in range(RULES)]
    lines += [f"    default_backend {name}", f"backend {name}", f"    balance {balance}"]
    if name == "hash":
        lines += ["    hash-type consistent", "    hash-balance-factor 125"]
    for number, host in enumerate(HOSTS):
        limit = " maxconn 1000" if name == "limits" else ""
        lines.append(f"    server t{number} {host}:{target_port} pool-max-conn 512{limit}")
    return "\n".join(lines) + "\n"


def _haproxy_condition(number):
    return "{ " + [
        f"hdr(host) h{number}.example.com", f"hdr_end(host) .h{number}.example.com", f"path_beg /p{number}/",
        f"path_reg ^/r{number}/[0-9]+$", f"hdr(x-kind) k{number}", f"url_param(q) {number}",
        f"src 10.{number // 250}.{number % 250}.0/24", f"method {_verb(number)}",
    ][number % 8] + " }"


def nginx_sections(name, port, target_port, headers):
    """An upstream and its server. nginx finds hosts by server blocks and paths by locations, and has no other rules."""
    balance = {"least": "least_conn;", "random": "random;", "latency": "random two least_conn;",
               "hash": "hash $remote_addr consistent;"}.get(name, "")
    limit = " max_conns=1000" if name == "limits" else ""
    servers = " ".join(f"server {host}:{target_port}{limit};" for host in HOSTS)
    passing = f"proxy_pass http://{name}; {headers}"
    locations, zone = "", ""
    if name == "rules":
        locations = "\n".join(
            f"location ~ ^/r{number}/[0-9]+$ {{ {passing} }}" if number % 4 == 3
            else f"location {'=' if number % 4 else ''} /p{number}/ {{ {passing} }}" for number in range(RULES))
    if name == "ratelimit":
        zone = "limit_req_zone $binary_remote_addr zone=clients:4m rate=1000000r/s;"
        passing = f"limit_req zone=clients burst=100000 nodelay; {passing}"
    return f"""
    {zone}
    upstream {name} {{ {balance} {servers} keepalive 512; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        {locations}
        location / {{ {passing} }}
    }}
"""
