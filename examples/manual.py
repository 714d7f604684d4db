#!/usr/bin/env python3
"""Writes Parley's manual pages, which say what its --help says: examples/manual.py BINARY FOLDER.

There is parley.1 and a page for each command, parley-serve.1 and so on, so that `man parley serve` finds it. SwiftPM's generate-manual plugin
would do this too, but it builds every target anew and links a debugging program of its own, which takes minutes.
"""

import datetime
import json
import os
import pathlib
import re
import subprocess
import sys

MARK = ".\\\" Made by Parley's examples/manual.py."
FILES = """
The database is \x01parley/parley.db\x02 in \x01$XDG_DATA_HOME\x02, by default \x01~/.local/share\x02, unless --database or PARLEY_DATABASE names another
file. Beside it lie its log of writes (\x01-wal\x02, \x01-shm\x02) and the locks of the processes that have it open (\x01-hosts\x02).
"""
ENVIRONMENT = """
Each setting has a variable: PARLEY_ and its name in capitals, with _ before what began a word. PARLEY_CONFIG names a settings file. MINIMAX_API_KEY,
OPENAI_API_KEY and ANTHROPIC_API_KEY connect these providers, …_BASE_URL and …_MODEL move them. HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE and the
like are honoured.
"""


def run(binary, *arguments):
    """What the program prints, without anybody's settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
    return subprocess.run([binary, *arguments], check=True, capture_output=True, text=True, env=environment).stdout


def text(words):
    """One line of text, or several, as roff reads them; `code` becomes bold, and \x01 and \x02 stand around names of files."""
    lines = []
    for line in words.strip().splitlines():
        line = line.strip().replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("~", "\\(ti").replace("^", "\\(ha")
        line = re.sub(r"`([^`]*)`", r"\\fB\1\\fR", line).replace("`", "\\(ga")
        line = line.replace("\x01", "\\fI").replace("\x02", "\\fR")
        lines.append("\\&" + line if line.startswith(".") else line)
    return "\n".join(lines)


def flag(argument):
    """How an argument is written, for its description."""
    names = ["\\fB" + ("--" if name["kind"].startswith("long") else "-").replace("-", "\\-") + text(name["name"]) + "\\fR"
             for name in argument.get("names", [])]
    names.sort(key=len)
    value = "" if argument["kind"] == "flag" else "\\fI" + text(argument["valueName"]) + "\\fR"
    return ", ".join(names) + (" " if names and value else "") + value


def usage(argument):
    """How an argument is written in a command line."""
    written = flag({**argument, "names": [argument["preferredName"]] if "preferredName" in argument else []}).replace(" ", "\\~")
    written += "\\~.\\|.\\|." if argument["isRepeating"] else ""
    return f"[{written}]" if argument["isOptional"] else written


def arguments(command):
    return [argument for argument in command.get("arguments", []) if argument["shouldDisplay"]]


def commands(command):
    return [inner for inner in command.get("subcommands", []) if inner["shouldDisplay"] and inner["commandName"] != "help"]


def options(command):
    """The descriptions of a command's arguments."""
    lines = []
    for argument in arguments(command):
        description = argument.get("abstract", "")
        if argument.get("allValues"):
            description += f" One of {', '.join(argument['allValues'])}."
        if argument.get("defaultValue"):
            description += f" By default {argument['defaultValue']}."
        lines += [".TP", flag(argument), text(description)]
    return lines


def synopsis(command, path):
    own = [usage(argument) for argument in arguments(command)]
    inner = ["\\fIcommand\\fR"] if commands(command) else []
    return [".PP", "\\fB" + " ".join(path) + "\\fR " + " ".join(inner + own)]


def discussion(command):
    """The paragraphs of a command's description, and what its exit codes mean apart."""
    paragraphs = [" ".join(part.split("\n")) for part in command.get("discussion", "").split("\n\n") if part.strip()]
    codes = [part.removeprefix("Exit codes: ") for part in paragraphs if part.startswith("Exit codes: ")]
    rest = [part for part in paragraphs if not part.startswith("Exit codes: ")]
    return [line for part in rest for line in (".PP", text(part))], "\n".join(codes)


def page(command, path, version, others, sections):
    """One manual page."""
    name = "-".join(path)
    day = datetime.datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", datetime.datetime.now().timestamp())), datetime.timezone.utc)
    abstract = command["abstract"].rstrip(".")
    lines = [MARK, f'.TH {name.upper()} 1 {day:%Y-%m-%d} "{version}" "Parley"', ".nh", ".ad l", ".SH NAME",
             f"{text(name)} \\- {text(abstract[0].lower() + abstract[1:])}", ".SH SYNOPSIS"]
    inner = commands(command)
    for each, words in [(each, path + [each["commandName"]]) for each in inner] if len(path) > 1 and inner else [(command, path)]:
        lines += synopsis(each, words)[lines[-1] == ".SH SYNOPSIS":]
    paragraphs, codes = discussion(command)
    if paragraphs:
        lines += [".SH DESCRIPTION"] + paragraphs[1:]
    if inner:
        lines.append(".SH COMMANDS")
        for each in inner:
            if len(path) > 1:
                more, _ = discussion(each)
                lines += [".SS " + " ".join(path + [each["commandName"]]), text(each["abstract"])] + more + options(each)
            else:
                lines += [".TP", f"\\fB{each['commandName']}\\fR", text(each["abstract"]), f"See \\fB{name}\\-{each['commandName']}\\fR(1)."]
    lines += [".SH OPTIONS"] + options(command)
    if codes:
        lines += [".SH EXIT STATUS", text(codes[0].upper() + codes[1:])]
    for title, body in sections:
        lines += [f".SH {title}"] + body
    lines += [".SH SEE ALSO", ",\n".join(f"\\fB{text(other)}\\fR(1)" for other in others if other != name)]
    return "\n".join(lines) + "\n"


def settings(binary):
    """Every setting with what it does: what `parley config` prints in two lines each."""
    lines = run(binary, "config").splitlines()
    body = []
    for line, following in zip(lines, lines[1:]):
        if following.startswith(" ") and not line.startswith(" "):
            setting, rest = line.split(maxsplit=1)
            value = rest.rsplit(maxsplit=1)[0].strip()
            body += [".TP", f"\\fB{text(setting)}\\fR", text(following) + ("" if value == "(not set)" else f"\nDefault: {text(value)}")]
    return body


def main():
    binary, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    root = json.loads(run(binary, "--experimental-dump-help"))["command"]
    version = run(binary, "--version").strip()
    inner = commands(root)
    names = ["parley"] + [f"parley-{each['commandName']}" for each in inner]
    sections = [("SETTINGS", [text("Given with --set, in the environment, or in a settings file; `parley config` shows which are in force.")]
                 + settings(binary)), ("ENVIRONMENT", [text(ENVIRONMENT)]), ("FILES", [text(FILES)])]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "parley.1").write_text(page(root, ["parley"], version, names, sections), encoding="utf-8")
    for each in inner:
        name = each["commandName"]
        (folder / f"parley-{name}.1").write_text(page(each, ["parley", name], version, names, []), encoding="utf-8")


if __name__ == "__main__":
    main()
