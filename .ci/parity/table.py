"""The rows of docs/parity."""

import json
import pathlib

FOLDER = pathlib.Path(__file__).resolve().parent.parent.parent / "docs" / "parity"
SCENARIOS = "scenarios"

# How many rows each file has: a row that vanished is noticed.
COUNTS = {
    "01-ssl-socket": 83,
    "02-abstract-socket": 66,
    "03-io-device": 29,
    "04-tcp-server": 18,
    "05-ssl-server": 12,
    "06-ssl-configuration": 50,
    "07-ssl-certificate": 31,
    "08-ssl-certificate-extension": 7,
    "09-ssl-key": 14,
    "10-ssl-cipher": 12,
    "11-ssl-error": 46,
    "12-ssl-namespace": 38,
    "13-ssl-elliptic-curve": 6,
    "14-ssl-diffie-hellman-parameters": 6,
    "15-ssl-pre-shared-key-authenticator": 6,
    "16-ocsp-response": 6,
    "17-dtls": 29,
    "18-ssl-keying-material": 5,
    "19-password-digestor": 1,
    "20-old-members": 11,
    "21-semantics": 77,
    "22-defaults": 31,
    "23-environment": 7,
    SCENARIOS: 217,
}

# Sections that must be proven now; the others (certificates, keys, curves, DTLS and the like) may still be planned.
REQUIRED = (1, 2, 3, 4, 5, 6, 10, 11, 12, 20, 21, 22, 23)
# Rows of required sections that are about datagrams and wait with them.
DATAGRAM_ROWS = {f"21-{n}" for n in range(69, 76)} | {"22-3", "22-19", "22-20", "6.8-1", "6.9-2"}
DATAGRAM_ROWS |= {f"12-{n}" for n in (13, 14, 15, 16)}
# Sections of scenarios that must be covered now: sockets, the server, and what Qt's own tests leave out.
REQUIRED_SCENARIOS = (1, 5, 10)


class Row:
    """One line of a file."""

    def __init__(self, file, line, fields):
        self.file = file
        self.line = line
        self.fields = fields
        self.id = fields.get("id", "")
        self.is_scenario = file == SCENARIOS
        self.title = fields.get("scenario" if self.is_scenario else "qt", "")
        self.group = fields.get("class", "")
        self.seeds = fields.get("seeds", [])
        self.status = fields.get("status", "")
        self.symbols = fields.get("symbols", [])
        self.tests = fields.get("tests", [])
        self.note = fields.get("note", "").strip()

    @property
    def section(self):
        """The number of the section: 6 of `6.4-2`, 1 of `t1.5-3`."""
        return int(self.id.removeprefix("t").split("-")[0].split(".")[0])

    @property
    def is_required(self):
        if self.is_scenario:
            return self.section in REQUIRED_SCENARIOS
        return self.section in REQUIRED and self.id not in DATAGRAM_ROWS

    @property
    def is_proven(self):
        """What counts as present: it names symbols and tests."""
        return self.status in ("covered",) if self.is_scenario else self.status in ("present", "replaced")

    def __str__(self):
        return f"{self.file}.jsonl:{self.line}: {self.id} ({self.title})"


def load(folder=FOLDER):
    """All rows, in the order of the files."""
    rows = []
    for file in sorted(folder.glob("*.jsonl")):
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
            try:
                rows.append(Row(file.stem, number, json.loads(line)))
            except ValueError as error:
                raise SystemExit(f"{file.name}:{number}: no JSON: {error}")
    return rows
