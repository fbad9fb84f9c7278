internal import SslBackend
internal import SslSockets

/// The backends, as `backends --json` writes them. `docs/schema/backends.schema.json` describes it.
struct BackendsReport: Encodable {
    struct Backend: Encodable {
        let name: String
        let active: Bool
        let libraryVersion: String
        let buildVersion: String
        let versions: [String]
        let cipherSuites: [String]
        let groups: [String]
        let signatureSchemes: [String]
        let keyAlgorithms: [String]
        let features: [String]
        /// What it cannot do, with the reason.
        let lacks: [String: String]
        let backendOptions: [String]
    }

    let schema = 1
    var tool = ToolVersion.text
    let backends: [Backend]

    init(_ all: [any TlsBackend], active: String?) {
        backends = all.map { backend in
            let can = backend.capabilities
            return Backend(
                name: backend.name, active: backend.name == active, libraryVersion: backend.libraryVersion,
                buildVersion: backend.libraryBuildVersion, versions: can.versions.sorted().map(\.description),
                cipherSuites: can.cipherSuites.map(\.name), groups: can.groups.map(\.name),
                signatureSchemes: can.signatureSchemes.map(\.name), keyAlgorithms: can.keyAlgorithms.map { "\($0)" },
                features: can.features.map(\.rawValue).sorted(),
                lacks: Dictionary(uniqueKeysWithValues: can.lacks.map { ($0.key.rawValue, $0.value) }),
                backendOptions: can.backendOptions)
        }
    }
}

/// The backends side by side, for people.
struct BackendsText {
    let backends: [any TlsBackend]
    let active: String?
    let style: Style

    var text: String {
        var table = Table()
        func row(_ label: String, _ value: (any TlsBackend) -> Table.Cell) {
            table.add([Table.Cell(label, paint: style.faint)] + backends.map(value))
        }
        row("") { Table.Cell($0.name + ($0.name == active ? " (active)" : ""), paint: style.strong) }
        row("library") { Table.Cell($0.libraryVersion) }
        row("built with") { Table.Cell($0.libraryBuildVersion) }
        row("versions") { Table.Cell($0.capabilities.versions.sorted().map(\.description).joined(separator: " ")) }
        row("cipher suites") { Table.Cell("\($0.capabilities.cipherSuites.count), see sslsocket ciphers") }
        func each<Item: Hashable>(_ title: String, _ all: [Item], _ name: (Item) -> String, in list: (TlsCapabilities) -> [Item])
        {
            table.add([])
            table.add([Table.Cell(title, paint: style.strong)])
            for item in all where backends.contains(where: { list($0.capabilities).contains(item) }) {
                row(name(item)) { yesOrNo(list($0.capabilities).contains(item)) }
            }
        }
        each("groups", SslGroup.all, \.name) { $0.groups }
        each("signature schemes", SslSignatureScheme.all, \.name) { $0.signatureSchemes }
        each("keys of certificates", SslKeyAlgorithm.allCases, { "\($0)" }, in: \.keyAlgorithms)
        let options = backends.flatMap(\.capabilities.backendOptions)
        each("options in its own words", Set(options).sorted(), { $0 }, in: \.backendOptions)
        table.add([])
        table.add([Table.Cell("features", paint: style.strong)])
        for feature in SslFeature.allCases {
            row(feature.rawValue) { backend in
                yesOrNo(backend.capabilities.features.contains(feature))
            }
        }
        return table.lines.map { $0 + "\n" }.joined() + reasons
    }

    private func yesOrNo(_ isThere: Bool) -> Table.Cell {
        isThere ? Table.Cell("yes", paint: style.good) : Table.Cell("no", paint: style.notable)
    }

    /// Why a backend lacks what it lacks.
    private var reasons: String {
        var lines = ""
        for backend in backends {
            for (feature, reason) in backend.capabilities.lacks.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                lines += "\(backend.name) \(feature.rawValue): \(reason)\n"
            }
        }
        return lines.isEmpty ? "" : "\nwhat is lacking, and why\n" + lines
    }
}
