"""The public symbols of the library, as the compiler wrote them down in the modules of the last build."""

import json
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
# What is documented for users of the library; the rows of the table may also name symbols of the test kit.
DOCUMENTED = ("SslValues", "SslBackend", "SslSockets")
MODULES = DOCUMENTED + ("SslTestKit",)


class Symbol:
    """One public declaration."""

    def __init__(self, module, raw):
        self.module = module
        self.raw = raw
        self.id = raw["identifier"]["precise"]
        self.kind = raw["kind"]["identifier"].removeprefix("swift.")
        self.path = raw["pathComponents"]
        self.name = ".".join(self.path)
        self.comment = "\n".join(line["text"] for line in raw.get("docComment", {}).get("lines", []))
        # Members that the compiler makes carry the identifier of the type they were made for.
        self.synthesized = "::SYNTHESIZED::" in self.id
        location = raw.get("location")
        self.file = location["uri"].removeprefix("file://") if location else None
        self.line = location["position"]["line"] + 1 if location else 0
        self.column = location["position"]["character"] if location else 0

    @property
    def declaration(self):
        return "".join(part["spelling"] for part in self.raw.get("declarationFragments", []))

    @property
    def place(self):
        if not self.file:
            return self.module
        file = pathlib.Path(self.file)
        return f"{file.relative_to(ROOT) if file.is_relative_to(ROOT) else file}:{self.line}"


class Graph:
    """The symbols of all modules; `named` finds those of a name (overloads share one)."""

    def __init__(self, symbols, relationships):
        self.symbols = symbols
        self.relationships = relationships
        self.named = {}
        for symbol in symbols:
            self.named.setdefault(symbol.name, []).append(symbol)

    def targets(self, kind):
        """From the identifier of each source of a relationship of a kind to its target."""
        return {r["source"]: r for r in self.relationships if r["kind"] == kind}


def extract(build, modules, folder, *options):
    """Writes the symbol graphs of modules of a build (a folder like `.build/debug`) into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.symbols.json"):
        old.unlink()
    # The modules name the C modules they were built over.
    c_modules = []
    for file in [*(ROOT / "Backends").glob("*/CSsl*/module.modulemap"), *build.glob("CSsl*.build/module.modulemap")]:
        c_modules += ["-Xcc", f"-fmodule-map-file={file}"]
    target = json.loads(subprocess.run(["swiftc", "-print-target-info"], check=True, capture_output=True).stdout)
    running = []
    for module in modules:
        if not (build / "Modules" / f"{module}.swiftmodule").exists():
            raise SystemExit(f"{build} has no module {module}: build first, for example with \"swift build --build-tests\"")
        command = ["swift", "symbolgraph-extract", "-module-name", module, "-target", target["target"]["triple"]]
        command += ["-I", build / "Modules", "-output-dir", folder, "-minimum-access-level", "public", *c_modules, *options]
        running.append((module, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)))
    for module, process in running:
        output, _ = process.communicate()
        if process.returncode:
            raise SystemExit(f"no symbol graph of {module}:\n{output}")


def read(folder):
    """The graph of the files in a folder."""
    symbols, relationships = [], []
    for file in sorted(folder.glob("*.symbols.json")):
        # "Module.symbols.json", and "Module@Other.symbols.json" for what Module adds to types of Other.
        module = file.name.split(".")[0].split("@")[0]
        graph = json.loads(file.read_text())
        symbols += [Symbol(module, raw) for raw in graph["symbols"]]
        relationships += graph["relationships"]
    return Graph(symbols, relationships)


def load(build, modules=MODULES):
    """The graph of modules of a build."""
    folder = build / "parity-symbols"
    extract(build, modules, folder)
    return read(folder)


def documented(build):
    """The graph of the documentation: what `import SslSockets` brings, which hands the values of SslValues on."""
    folder = build / "documented-symbols"
    extract(build, ["SslSockets"], folder, "-experimental-allowed-reexported-modules=SslValues")
    return read(folder)
