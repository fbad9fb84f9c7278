"""What the table says, as pages to read."""

import collections
import re

import table

# The classes in the order of the files, and what stands over the sections that belong to none.
HEADINGS = {
    "02-abstract-socket": "QAbstractSocket and QTcpSocket",
    "03-io-device": "QIODevice",
    "04-tcp-server": "QTcpServer",
    "12-ssl-namespace": "The namespace QSsl",
    "17-dtls": "QDtls and QDtlsClientVerifier",
    "20-old-members": "Members that are gone from Qt 6",
    "21-semantics": "Rules of behaviour",
    "22-defaults": "Defaults",
    "23-environment": "Environment variables and hidden knobs",
}


def links(graph):
    """From the name of each symbol of the documentation to its links."""
    paths = collections.Counter(symbol.name.lower() for symbol in graph.symbols)
    found = {}
    for symbol in graph.symbols:
        path = "/".join(symbol.path)
        # Overloads are told apart as DocC does: FNV-1 of the identifier, folded to 24 bits, in base 36.
        if paths[symbol.name.lower()] > 1:
            path += "-" + base36(fold(symbol.id))
        found.setdefault(symbol.name, []).append(f"``{path}``")
    return found


def fold(text):
    value = 0x811C9DC5
    for octet in text.encode():
        value = (value * 0x01000193 & 0xFFFFFFFF) ^ octet
    return value >> 24 ^ value & 0xFFFFFF


def base36(number):
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[rest] + digits
    return digits or "0"


def code(text):
    """In code voice, which takes every character as it is but ends a cell at a bar."""
    return "`" + text.replace("|", "\\|").replace("`", "'") + "`"


def prose(text):
    """In a cell: no bars, no tags."""
    parts = re.split(r"(`+[^`]*`+)", text.replace("\n", " "))
    return "".join(part if part.startswith("`") else part.replace("<", "\\<").replace("*", "\\*") for part in parts).replace("|", "\\|")


def ours(row, found):
    if row.status == "absent":
        return "no counterpart"
    if row.status == "planned":
        return "not yet"
    # Overloads are one member to a reader: the first link leads to their page as well.
    return ", ".join(found.get(symbol, [code(symbol)])[0] for symbol in row.symbols)


def members(rows, found):
    """The tables of all classes."""
    lines = []
    groups = collections.OrderedDict()
    for row in rows:
        if not row.is_scenario:
            groups.setdefault(row.file, []).append(row)
    for file, members in sorted(groups.items()):
        lines += [f"### {HEADINGS.get(file) or members[0].group}", ""]
        if not members[0].group:
            lines += ["| Qt | Where it shows here | What to know |", "| --- | --- | --- |"]
        else:
            lines += ["| Qt | Here | What to know |", "| --- | --- | --- |"]
        for row in members:
            # The rules and defaults are sentences, not members.
            qt = code(row.title) if row.group or file.startswith("20") else prose(row.title.removeprefix("default: "))
            lines.append(f"| {qt} | {ours(row, found)} | {prose(row.note)} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def topics(type_, graph, found, read):
    """The members of a type by subject: the MARKs of its files, or the names of files without any."""
    subjects = collections.OrderedDict()
    members = [symbol for symbol in graph.symbols if symbol.path[:-1] == [type_] and symbol.file and not symbol.synthesized]
    # The file that is named after the type comes first.
    for symbol in sorted(members, key=lambda s: (not s.file.endswith(f"/{type_}.swift"), s.file, s.line, s.column)):
        subject = re.sub(r"(?<=.)([A-Z])", lambda m: " " + m.group().lower(), re.sub(rf".*/({type_})?|\.swift$", "", symbol.file))
        for line in read(symbol.file).splitlines()[: symbol.line - 1]:
            if mark := re.match(r"\s*// MARK: (?:- )?(.+)", line):
                subject = mark.group(1)
        subjects.setdefault({"": "General", "Start tls": "STARTTLS"}.get(subject, subject), []).append(symbol)
    lines = [f"# ``{type_}``", "", "## Topics"]
    for subject, symbols in subjects.items():
        lines += ["", f"### {subject}", ""] + [f"- {link(symbol, found)}" for symbol in symbols]
    return "\n".join(lines) + "\n"


def link(symbol, found):
    """The link to one of several overloads."""
    links = found[symbol.name]
    return links[0] if len(links) == 1 else next(text for text in links if text.endswith(f"-{base36(fold(symbol.id))}``"))


def scenarios(rows):
    """From each scenario to the tests that play it."""
    lines = [
        "# Scenarios and their tests", "",
        "What the tests of QSslSocket, its relatives and their users' trouble ask of such a library, and where it is tested here. Made from",
        "`scenarios.jsonl` by `scripts/make-parity-article`.", "",
    ]
    section = None
    for row in rows:
        if not row.is_scenario:
            continue
        if row.section != section:
            section = row.section
            lines += ["", f"## {SECTIONS[section]}", "", "| scenario | tests | what to know |", "| --- | --- | --- |"]
        tests = "<br>".join(code(test) for test in row.tests) or {"absent": "has no sense here", "planned": "not yet"}.get(row.status, "")
        lines.append(f"| {prose(row.title)} | {tests} | {prose(row.note)} |")
    return "\n".join(lines) + "\n"


SECTIONS = {
    1: "Sockets", 2: "Certificates", 3: "Keys", 4: "Ciphers, errors, curves, Diffie-Hellman parameters", 5: "The server", 6: "OCSP stapling",
    7: "DTLS", 8: "DTLS cookies", 9: "Keying material", 10: "What those tests leave out",
}
