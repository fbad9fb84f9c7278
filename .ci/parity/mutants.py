"""Breaks declarations: each mutant is a change of the source that an environment variable switches on when the program runs.

So hundreds of mutants are built at once. Changes never add a line, so that the compiler's complaints can be led back to them.
"""

import re

import swift_source as swift

# The module all others import, and what stands there for the mutants. `sslBroken` makes another value of the same type.
LOWEST = "SslValues"
VARIABLE = "SSLSOCKET_MUTANT"
SUPPORT = """\
private import Glibc

public enum SslMutation {
    public static let current: Int = unsafe getenv("%s").flatMap { unsafe Int(String(cString: $0)) } ?? 0
    public static func on(_ number: Int) -> Bool { current == number }
}

public func sslBroken(_ v: Bool) -> Bool { !v }
public func sslBroken<T: FixedWidthInteger>(_ v: T) -> T { v &+ 1 }
public func sslBroken(_ v: String) -> String { v.isEmpty ? "broken" : "" }
public func sslBroken(_ v: Duration) -> Duration { v + .seconds(7) }
public func sslBroken<T>(_ v: T?) -> T? { nil }
public func sslBroken(_ v: String?) -> String? { v == nil ? "broken" : nil }
public func sslBroken(_ v: Duration?) -> Duration? { v == nil ? .seconds(7) : nil }
public func sslBroken<T: FixedWidthInteger>(_ v: T?) -> T? { v == nil ? 7 : nil }
public func sslBroken<T>(_ v: [T]) -> [T] { [] }
public func sslBroken(_ v: [UInt8]) -> [UInt8] { v.isEmpty ? [1] : [] }
public func sslBroken(_ v: [String]) -> [String] { v.isEmpty ? ["broken"] : [] }
public func sslBroken<K, V>(_ v: [K: V]) -> [K: V] { [:] }
public func sslBroken(_ v: [String: String]) -> [String: String] { v.isEmpty ? ["broken": "broken"] : [:] }
public func sslBroken<T: Hashable>(_ v: Set<T>) -> Set<T> { [] }
public func sslBroken<T: Comparable>(_ v: ClosedRange<T>) -> ClosedRange<T> { v.lowerBound...v.lowerBound }
public func sslBroken<T: OptionSet>(_ v: T) -> T where T.RawValue: FixedWidthInteger { T(rawValue: v.rawValue ^ 0x40) }
""" % VARIABLE
# Other values of types of the library that are neither enumerations nor option sets, by module.
STRUCTS = {
    "SslValues": {
        "SslCipher": "SslCipher(code: v.code ^ 1)",
        "SslGroup": "SslGroup(code: v.code ^ 1)",
        "SslSignatureScheme": "SslSignatureScheme(code: v.code ^ 1)",
        "SslInstant": "v.adding(seconds: 86_400)",
        "SslAlert": "SslAlert(v.level == .fatal ? .warning : .fatal, v.type)",
        "SslSocketError": "SslSocketError(v.code == .operation ? .truncated : .operation, \"broken\")",
        "SecretBytes": "SecretBytes([7])",
    },
    "SslSockets": {
        "SslConfiguration": "{ var c = SslConfiguration(); c.peerVerifyDepth = 13; return c }()",
        "SslError": "SslError(.unspecifiedError, depth: 7)",
        "IpAddress": "v == .anyIPv6 ? .anyIPv4 : .anyIPv6",
        "SocketAddress": "SocketAddress(.anyIPv6, port: 7)",
        "SslProxy": "v == .none ? .default : .none",
    },
}
GENERIC = {"SslSockets": "func sslBroken<S, P>(_ v: Signal<S, P>) -> Signal<S, P> { Signal(slots: SlotList()) }\n"}
KNOWN = re.compile(
    r"(.*\?|\[.*\]|Set<.*>|ClosedRange<.*>|Signal<.*>|Bool|String|Duration|U?Int(8|16|32|64)?|Int32)$")


class Mutant:
    """One change."""

    def __init__(self, number, symbol, what):
        self.number = number
        self.symbol = symbol
        self.what = what

    def __str__(self):
        return f"{self.symbol.name} {self.what} ({self.symbol.place})"


class Unbreakable(Exception):
    """Why a declaration has no mutant."""


class Breaker:
    """Collects the changes to make, by file."""

    def __init__(self, graph, read):
        self.graph = graph
        self.read = read
        self.mutants = []
        self.refused = []
        self.edits = {}
        self.enums = {}
        self.done = set()
        self.raw_cases = set()
        for symbol in graph.symbols:
            if symbol.kind == "enum":
                self.enums[symbol.name] = []
        for symbol in graph.symbols:
            owner = ".".join(symbol.path[:-1])
            if symbol.kind == "enum.case" and owner in self.enums and "(" not in symbol.path[-1]:
                self.enums[owner].append(symbol)
        self.structs = {name for types in STRUCTS.values() for name in types}
        self.options = {symbol.name for symbol in graph.symbols if symbol.kind == "struct" and f"{symbol.name}.rawValue" in graph.named}

    # ---- what can be broken

    def knows(self, type_):
        """Whether another value of a type can be made."""
        type_ = type_.removeprefix("any ").strip()
        return bool(KNOWN.match(type_)) or self.enum(type_) is not None or type_ in self.structs or type_ in self.options

    def enum(self, type_):
        for name, cases in self.enums.items():
            if (name == type_ or name.endswith("." + type_)) and len(cases) > 1:
                return name
        return None

    def support(self, module):
        """The text of the file that is added to a module."""
        public = "public " if module == LOWEST else ""
        text = SUPPORT if module == LOWEST else f"internal import {LOWEST}\n\n"
        text += GENERIC.get(module, "")
        for name, value in STRUCTS.get(module, {}).items():
            if name in self.graph.named:
                text += f"{public}func sslBroken(_ v: {name}) -> {name} {{ {value} }}\n"
        for name, cases in self.enums.items():
            if len(cases) > 1 and cases[0].module == module:
                first, second = (case.path[-1] for case in cases[:2])
                text += f"{public}func sslBroken(_ v: {name}) -> {name} {{ if case .{first} = v {{ .{second} }} else {{ .{first} }} }}\n"
        return text

    def add(self, symbol, what):
        mutant = Mutant(len(self.mutants) + 1, symbol, what)
        self.mutants.append(mutant)
        return mutant.number

    def insert(self, file, at, text, end=None):
        self.edits.setdefault(file, []).append((at, at if end is None else end, text))

    def take(self, symbol):
        """Makes the mutants of a symbol, or notes why there are none."""
        if symbol.id in self.done:
            return
        self.done.add(symbol.id)
        before = len(self.mutants)
        try:
            if symbol.synthesized or not symbol.file:
                raise Unbreakable("made by the compiler")
            self.text = self.read(symbol.file)
            self.at = self.offset(symbol)
            if symbol.kind == "enum.case":
                self.enum_case(symbol)
            elif symbol.kind in ("property", "type.property"):
                self.property(symbol)
            elif symbol.kind in ("method", "type.method", "init", "func.op"):
                self.function(symbol)
            else:
                raise Unbreakable(f"a {symbol.kind}: its members are broken instead")
        except (Unbreakable, ValueError) as reason:
            if len(self.mutants) == before:
                self.refused.append((symbol, str(reason)))

    def offset(self, symbol):
        lines = self.text.splitlines(keepends=True)
        at = sum(map(len, lines[: symbol.line - 1])) + symbol.column
        name = symbol.path[-1].split("(")[0]
        if not self.text.startswith((name, f"`{name}`"), at):
            raise SystemExit(f"{symbol.place}: {name} does not stand there: build first, so that the symbol graph fits the sources")
        return at

    def head(self, word):
        """The modifiers before the declaration and where they begin."""
        start = self.text.rindex(word, 0, self.at)
        line = self.text.rindex("\n", 0, start) + 1
        return line, self.text[line:start]

    # ---- functions

    def function(self, symbol):
        name = symbol.path[-1]
        if name == "hash(into:)":
            raise Unbreakable("any hash is right")
        opening = swift.find(self.text, self.at, "(")
        if opening is None:
            raise Unbreakable("no parameters found")
        after = swift.close(self.text, opening)
        body = swift.find(self.text, after, "{")
        if body is None:
            raise Unbreakable("a requirement without a body")
        signature = self.text[after:body]
        end = swift.close(self.text, body)
        inside = self.text[body + 1 : end - 1]
        result = re.sub(r"\bwhere\b.*", "", signature.split("->", 1)[1], flags=re.S).strip() if "->" in signature else "Void"
        result = result.removeprefix("sending ").strip()
        throws = "throws" in signature
        is_init = symbol.kind == "init"
        if is_init:
            self.initializer(symbol, opening, after, body, throws)
            return
        statements = []
        if result in ("Void", "()"):
            statements.append(("does nothing", "return"))
        elif result == "Bool":
            statements += [("is always true", "return true"), ("is always false", "return false")]
        elif re.fullmatch(r"U?Int(8|16|32|64)?", result):
            statements.append(("returns 0 at once", "return 0"))
        elif result == "String":
            statements.append(("returns nothing", 'return ""'))
        elif result.endswith("?"):
            statements.append(("returns nil at once", "return nil"))
        elif result.startswith("[") and ":" not in result:
            statements.append(("returns nothing", "return []"))
        elif self.enum(result):
            name = self.enum(result)
            cases = [case.path[-1] for case in self.enums[name]]
            statements += [(f"is always {case}", f"return {name}.{case}") for case in (cases[0], cases[-1])]
        elif throws:
            statements.append(("throws", 'throw SslSocketError(.operation, "broken")'))
        elif result in self.structs and result != "SecretBytes":
            raise Unbreakable(f"no value of {result} from nothing")
        else:
            raise Unbreakable(f"no value of {result} from nothing")
        text = "".join(f" if SslMutation.on({self.add(symbol, what)}) {{ {code} }};" for what, code in statements)
        if result not in ("Void", "()") and swift.is_expression(inside):
            text += " return "
        self.insert(symbol.file, body + 1, text)

    def initializer(self, symbol, opening, after, body, throws):
        text = ""
        parameters = self.text[opening + 1 : after - 1]
        if self.text[self.at + 4 : self.at + 5] in "?!":
            text += f" if SslMutation.on({self.add(symbol, 'is nil')}) {{ return nil }};"
        elif throws:
            text += f" if SslMutation.on({self.add(symbol, 'throws')}) {{ throw SslSocketError(.operation, \"broken\") }};"
        else:
            first = re.match(r"\s*(?:\w+\s+)?(\w+)\s*:\s*([^,=]+)", parameters)
            type_ = first.group(2).strip() if first else ""
            if not first or not self.knows(type_):
                raise Unbreakable("an initialiser whose first parameter cannot be broken")
            name = first.group(1)
            number = self.add(symbol, f"takes another {name}")
            text += f" let {name} = SslMutation.on({number}) ? sslBroken({name}) : {name};"
        self.insert(symbol.file, body + 1, text)

    # ---- properties

    def property(self, symbol):
        if any(part in symbol.declaration for part in (" async", " throws", "unowned", "weak")):
            raise Unbreakable("a getter with effects")
        match = re.match(r"[^:]*?\b(?:var|let) [^:]*: (.*?)(?: \{ .*\})?$", symbol.declaration.replace("\n", " "))
        type_ = match.group(1) if match else ""
        if not self.knows(type_):
            raise Unbreakable(f"no other value of {type_}")
        line = self.text.rindex("\n", 0, self.at) + 1
        before = self.text[line : self.at]
        word = re.search(r"\b(var|let)\s+$", before)
        if not word or "@" in before or "lazy" in before:
            raise Unbreakable("a declaration of several names or with attributes")
        word = word.group(1)
        name = re.compile(r"`?\w+`?").match(self.text, self.at).group()
        value = swift.find(self.text, self.at, "={")
        if value is not None and self.text[value] == "{":
            self.computed(symbol, name, before, value, type_)
        else:
            self.stored(symbol, name, word, before, value, type_)

    def computed(self, symbol, name, before, block, type_):
        end = swift.close(self.text, block)
        inside = self.text[block + 1 : end - 1]
        static = "static " if re.search(r"\bstatic\b", before) else ""
        original = name.strip("`") + "_original"
        if "willSet" in swift.words(inside) or "didSet" in swift.words(inside):
            raise Unbreakable("a property with observers")
        getter = f"SslMutation.on({self.add(symbol, 'reads wrong')}) ? sslBroken({original}) : {original}"
        if swift.first_word(inside) in ("get", "set"):
            if "set" in swift.words(inside):
                number = self.add(symbol, "is not set")
                getter = f"get {{ {getter} }} set {{ if SslMutation.on({number}) {{ return }}; {original} = newValue }}"
        modifiers = "nonmutating " if "nonmutating" in inside else ""
        if modifiers:
            getter = getter.replace(" set {", " nonmutating set {")
        self.insert(symbol.file, block, f"{{ {getter} }}; {static}var {original}: {type_} ")

    def stored(self, symbol, name, word, before, equals, type_):
        end = swift.statement_end(self.text, self.at)
        if re.search(r"\bstatic\b", before):
            if equals is None or word == "var":
                raise Unbreakable("a static variable")
            value = self.text[equals + 1 : end].strip()
            comment = re.search(r"\s//[^\n\"]*$", value)
            if comment:
                value = value[: comment.start()]
            number = self.add(symbol, "is another")
            self.insert(symbol.file, self.at + len(name),
                        f": {type_} = {{ let v: {type_} = {value}; return SslMutation.on({number}) ? sslBroken(v) : v }}()", end)
            return
        if type_.endswith("?") and not type_.startswith(("[", "(")):
            backing, default = f"Optional<{type_[:-1]}>", "nil"
        else:
            backing, default = type_, None
        if equals is not None and equals < end:
            default = self.text[equals + 1 : end].strip()
            default = re.sub(r"\s//[^\n\"]*$", "", default)
        if word == "let" and default is not None and equals is None:
            default = None
        original = name.strip("`") + "_original"
        number = self.add(symbol, "reads wrong")
        accessors = (
            f"@storageRestrictions(initializes: {original}) init(initialValue) {{ {original} = initialValue }} "
            f"get {{ SslMutation.on({number}) ? sslBroken({original}) : {original} }}")
        if word == "var":
            accessors += f" set {{ {original} = newValue }}"
        start = self.text.rindex(word, 0, self.at)
        text = f"var {name}: {type_}" + (f" = {default}" if default is not None else "") + f" {{ {accessors} }}; {word} {original}: {backing}"
        self.insert(symbol.file, start, text, end)

    # ---- cases

    def enum_case(self, symbol):
        owner = ".".join(symbol.path[:-1])
        declaration = next(s for s in self.graph.named[owner] if s.kind == "enum")
        if declaration.id not in self.done:
            self.done.add(declaration.id)
            self.raw_values(declaration)
        if symbol.id not in self.raw_cases:
            raise Unbreakable("a case without a value of its own: members that return it are broken instead")

    def raw_values(self, enum):
        """Writes the raw values of an enumeration out, so that each can be another."""
        at = self.offset(enum)
        body = swift.find(self.text, at, "{")
        raw = re.compile(r"`?\w+`?\s*:\s*(U?Int(?:8|16|32|64)?|String)\b").match(self.text, at)
        if not raw:
            return
        type_ = raw.group(1)
        values, cases = [], []
        for case in self.enums[enum.name]:
            start = self.offset(case)
            match = re.compile(r"(`?\w+`?)(\s*=\s*([^\s,/]+))?").match(self.text, start)
            if not match.group(3) and type_ != "String":
                return
            cases.append((case, match))
        for case, match in cases:
            value = match.group(3) or f'"{case.path[-1]}"'
            other = '"broken"' if type_ == "String" else f"{value} ^ 0x55"
            number = self.add(case, "has another value")
            self.raw_cases.add(case.id)
            values.append((case.path[-1], f"(SslMutation.on({number}) ? {other} : {value})"))
            if match.group(2):
                self.insert(enum.file, match.start(2), "", match.end(2))
        to = " ".join(f"case .{name}: return {value};" for name, value in values)
        back = " ".join(f"case {value}: self = .{name};" for name, value in values)
        self.insert(enum.file, raw.start(1), "RawRepresentable", raw.end(1))
        self.insert(enum.file, body + 1, f" public typealias RawValue = {type_}; public var rawValue: {type_} {{ switch self {{ {to} }} }}; "
                    f"public init?(rawValue: {type_}) {{ switch rawValue {{ {back} default: return nil }} }};")

    # ---- the outcome

    def changed(self):
        """The changed text of each file."""
        texts = {}
        for file, edits in self.edits.items():
            text = self.read(file)
            for start, end, new in sorted(edits, key=lambda edit: edit[0], reverse=True):
                text = text[:start] + new.replace("\n", " ") + text[end:]
            if not re.search(rf"^\s*((public|package|internal|private|fileprivate)\s+)?import {LOWEST}$", text, re.M):
                if f"/{LOWEST}/" not in file:
                    text = text.rstrip("\n") + f"\ninternal import {LOWEST}\n"
            texts[file] = text
        return texts
