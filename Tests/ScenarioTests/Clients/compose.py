"""Prints the commands of docker that start what a Compose file describes, a line each; Debian 12 has no Compose.

It knows the keys that files of this repository have, and refuses others: a file that uses more is not tried.

Arguments: the file; the daemon's socket, in place of /var/run/docker.sock.
Source: https://github.com/compose-spec/compose-spec/blob/main/spec.md
"""
import os
import re
import shlex
import sys

import yaml

path, socket = sys.argv[1:3]
os.environ["DOCKER_GROUP"] = str(os.stat(socket).st_gid)
folder = os.path.dirname(os.path.abspath(path))
with open(path) as file:
    text = file.read()
text = re.sub(r"\$\{(\w+):-([^}]*)\}", lambda match: os.environ.get(match[1]) or match[2], text)
if "${" in text:
    sys.exit("a variable has no default")
document = yaml.safe_load(text)
name = document.pop("name")
services = document.pop("services")
if document:
    sys.exit(f"unknown: {list(document)}")


def volume(text):
    source, rest = text.split(":", 1)
    if source == "/var/run/docker.sock":
        source = socket
    return f"{os.path.normpath(os.path.join(folder, source))}:{rest}"


def say(*words):
    print(shlex.join(words))


say("network", "create", "--label", f"com.docker.compose.project={name}", f"{name}_default")
for service, settings in services.items():
    words = ["--network", f"{name}_default", "--network-alias", service]
    words += ["--label", f"com.docker.compose.project={name}", "--label", f"com.docker.compose.service={service}"]
    image = settings.pop("image")
    command = shlex.split(settings.pop("command", ""))
    scale = settings.pop("scale", 1)
    for key, option, convert in [
        ("ports", "--publish", str), ("volumes", "--volume", volume), ("group_add", "--group-add", str),
        ("cap_drop", "--cap-drop", str), ("cap_add", "--cap-add", str),
    ]:
        for value in settings.pop(key, []):
            words += [option, convert(value)]
    if settings.pop("read_only", False):
        words.append("--read-only")
    if settings.pop("healthcheck", {}) == {"disable": True}:
        words.append("--no-healthcheck")
    networks = settings.pop("networks", {"default": {}})
    aliases = networks.pop("default").pop("aliases", [])
    if networks:
        sys.exit(f"{service}: unknown networks: {list(networks)}")
    for alias in aliases:
        words += ["--network-alias", alias]
    if period := settings.pop("stop_grace_period", None):
        words += ["--stop-timeout", str(int(period.removesuffix("s")))]
    if settings:
        sys.exit(f"{service}: unknown: {list(settings)}")
    for number in range(1, scale + 1):
        say("run", "--detach", "--name", f"{name}-{service}-{number}", *words, image, *command)
