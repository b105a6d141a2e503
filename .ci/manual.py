"""Writes manual pages from what `apus --experimental-dump-help` prints.

    apus --experimental-dump-help | manual.py VERSION DATE FOLDER

One page for apus, and one for each of its commands with that command's own commands in it: apus.1, apus-run.1 and so
on. Source: man(7); swift-argument-parser, ToolInfo.
"""

import json
import pathlib
import sys

FILES = [
    ("/etc/apus/apus.yaml", "The configuration of the service."),
    ("/run/apus/admin.sock", "The admin socket. Who may use it: root, the user apus, the group apus."),
    ("/var/lib/apus", "What was changed at run time."),
    ("/var/log/apus", "The logs of the service."),
    ("/usr/share/doc/apus", "Every key of the configuration, and more to read."),
]


def plain(text):
    """Text as troff prints it unchanged: no line of it is a request, no hyphen becomes typographical, all is ASCII."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    text = "".join(c if c.isascii() else f"\\[u{ord(c):04X}]" for c in text)
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in text.split("\n"))


def bold(text):
    return f"\\fB{plain(text)}\\fR"


def italic(text):
    return f"\\fI{plain(text)}\\fR"


def spelling(name):
    return ("--" if name["kind"] == "long" else "-") + name["name"]


def shown(arguments):
    return [
        a for a in arguments if a["shouldDisplay"] and a["valueName"] not in ("version", "help")
    ]


def usage(argument):
    """An argument as the synopsis has it."""
    if argument["kind"] == "positional":
        text = italic(argument["valueName"])
    else:
        text = bold(spelling(argument["preferredName"]))
        if argument["kind"] == "option":
            text += " " + italic(argument["valueName"])
    if argument["isRepeating"]:
        text += " ..."
    return f"[{text}]" if argument["isOptional"] else text


def explained(arguments):
    """Arguments with their meaning, as tagged paragraphs."""
    lines = []
    for argument in arguments:
        if argument["kind"] == "positional":
            tag = italic(argument["valueName"])
        else:
            tag = ", ".join(bold(spelling(name)) for name in argument["names"])
            if argument["kind"] == "option":
                tag += " " + italic(argument["valueName"])
        lines += [".TP", tag, plain(argument.get("abstract", ""))]
        if "defaultValue" in argument:
            lines += [plain(f"Default: {argument['defaultValue']}.")]
    return lines


def synopsis(words, command):
    parts = [bold(words)] + [usage(argument) for argument in shown(command.get("arguments", []))]
    if visible(command):
        parts.append(italic("command"))
    return [".PP", " ".join(parts)]


def visible(command):
    return [c for c in command.get("subcommands", []) if c["shouldDisplay"] and c["commandName"] != "help"]


def described(command):
    lines = [plain(command["abstract"])]
    for paragraph in command.get("discussion", "").split("\n"):
        if paragraph:
            lines += [".PP", plain(paragraph)]
    return lines


def page(title, words, command, version, date, others):
    commands = visible(command)
    lines = [
        '.\\" Written by .ci/manual.py.',
        f'.TH "{title.upper()}" 1 "{date}" "apus {version}" "User Commands"',
        ".nh", ".ad l",
        ".SH NAME", plain(f"{title} - {command['abstract'].rstrip('.')}"),
        ".SH SYNOPSIS",
    ]
    if command["commandName"] == "apus" or not commands:
        lines += synopsis(words, command)
    for inner in commands if command["commandName"] != "apus" else []:
        lines += synopsis(f"{words} {inner['commandName']}", inner)
    lines += [".SH DESCRIPTION"] + described(command)
    if command["commandName"] == "apus":
        lines += [".SH COMMANDS"]
        for inner in commands:
            lines += [".TP", f"{bold('apus-' + inner['commandName'])}(1)", plain(inner["abstract"])]
        lines += [".SH OPTIONS"] + explained(command["arguments"])
        lines += [".SH ENVIRONMENT", ".TP", bold("APUS_SOCKET"), plain("Path of the admin socket.")]
        lines += [".SH FILES"]
        for path, meaning in FILES:
            lines += [".TP", italic(path), plain(meaning)]
    elif commands:
        for inner in commands:
            lines += [f'.SS "{words} {inner["commandName"]}"'] + described(inner) + explained(shown(inner["arguments"]))
    elif shown(command["arguments"]):
        lines += [".SH OPTIONS"] + explained(shown(command["arguments"]))
    lines += [".SH SEE ALSO", ", ".join(f"{bold(other)}(1)" for other in others if other != title)]
    return "\n".join(lines) + "\n"


def main():
    version, date, folder = sys.argv[1:]
    root = json.load(sys.stdin)["command"]
    titles = ["apus"] + [f"apus-{command['commandName']}" for command in visible(root)]
    pages = [page("apus", "apus", root, version, date, titles)]
    for title, command in zip(titles[1:], visible(root)):
        pages.append(page(title, f"apus {command['commandName']}", command, version, date, titles))
    for title, text in zip(titles, pages):
        (pathlib.Path(folder) / f"{title}.1").write_text(text)


main()
