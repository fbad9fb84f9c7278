internal import SslSockets

extension ConnectionReport {
    /// The facts for people.
    func text(_ style: Style) -> String {
        var table = Table()
        func row(_ label: String, _ value: String, _ paint: @escaping (String) -> String = { $0 }) {
            table.add([Table.Cell(label, paint: style.faint), Table.Cell(value, paint: paint)])
        }
        row("peer", "\(host):\(port)" + (address.map { " (\($0))" } ?? ""))
        if let backend { row("backend", "\(backend.name) \(backend.version)") }
        row("version", version ?? "unknown", style.strong)
        row("cipher", cipher ?? "unknown")
        row("group", group ?? "none")
        row("alpn", alpn ?? "none")
        row("resumed", resumed ? "yes" : "no")
        if let preSharedKey { row("psk", preSharedKey) }
        if let ocsp { row("ocsp", ocsp.line) { ocsp.status == "good" ? style.good($0) : style.bad($0) } }
        row("verified", verified ? "yes" : "NO") { verified ? style.good($0) : style.bad($0) }
        for problem in errors { row("error", "\(problem.name): \(problem.message) (depth \(problem.depth))", style.bad) }
        for (depth, certificate) in chain.enumerated() { row("chain \(depth)", certificate.line) }
        if let pin = chain.first?.pin { row("pin", "sha256//\(pin)") }
        return table.lines.map { $0 + "\n" }.joined()
    }
}
