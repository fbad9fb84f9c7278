public import SslValues

/// What happens to a client that asks for a server name without a configuration of its own.
public enum SslServerNamePolicy: Sendable, Hashable, CaseIterable {
    /// It gets the server's own configuration (the default), and its certificate then has to prove the name.
    case useDefault
    /// It is refused with the alert `unrecognized_name` (RFC 6066 section 3); one that names no server gets the server's own configuration.
    case refuseUnknown
    /// It is refused as well when it names no server at all.
    case requireKnown
}

/// Configurations by server name.
struct ServerNameTable: Sendable {
    var policy = SslServerNamePolicy.useDefault
    private var exact: [String: SslConfiguration] = [:]
    /// By what stands behind the `*.`
    private var wildcard: [String: SslConfiguration] = [:]

    /// False when every client gets the server's own configuration, so that nobody needs to look at the ClientHello.
    var decides: Bool { policy != .useDefault || !exact.isEmpty || !wildcard.isEmpty }

    mutating func set(_ configuration: SslConfiguration?, for name: String) throws(SslSocketError) {
        if name.hasPrefix("*.") {
            wildcard[try Self.normalized(String(name.dropFirst(2)), in: name)] = configuration
        } else {
            exact[try Self.normalized(name, in: name)] = configuration
        }
    }

    private static func normalized(_ name: String, in whole: String) throws(SslSocketError) -> String {
        guard case .dns(let dns) = try PeerName(name) else {
            throw SslSocketError(.invalidUserData, "\"\(whole)\" is an address; clients ask only for names (RFC 6066 section 3)")
        }
        return dns
    }

    /// The configuration for a name in lower case: the exact one, else the wildcard whose star stands for its first label.
    func find(_ name: String) -> SslConfiguration? {
        if let found = exact[name] { return found }
        guard !wildcard.isEmpty, let dot = name.firstIndex(of: ".") else { return nil }
        return wildcard[String(name[name.index(after: dot)...])]
    }

    func choice(for name: String?) -> SslClientHelloChoice {
        guard let name else { return policy == .requireKnown ? .refuse : .proceed }
        if let found = find(name) { return .use(found) }
        return policy == .useDefault ? .proceed : .refuse
    }
}

extension SslServer {
    /// Serves clients that ask for a name (server name indication) with a configuration of its own: another certificate, other authorities for
    /// clients, other protocols. Qt has no such thing.
    ///
    /// - Parameters:
    ///   - configuration: checked at once; nil takes the name out of the table. It must use the backend of the server's own configuration.
    ///   - name: `www.example.com`, or `*.example.com` for every name with one label in place of the star; an exact name goes before a wildcard.
    ///     International names in either form.
    /// - Throws: ``SslSocketError/Code/invalidUserData`` for what is no name, and what the configuration is unfit for.
    public func setConfiguration(_ configuration: SslConfiguration?, forServerName name: String) throws(SslSocketError) {
        try configuration?.validate(for: .server)
        try settings.withLock { settings throws(SslSocketError) in try settings.names.set(configuration, for: name) }
    }

    /// The configuration a client that asks for `name` is served with: of its table entry, or nil when there is none.
    public func configuration(forServerName name: String) -> SslConfiguration? {
        guard case .dns(let dns)? = try? PeerName(name) else { return nil }
        return settings.withLock { $0.names.find(dns) }
    }

    /// What happens to clients without an entry in the table. Default: ``SslServerNamePolicy/useDefault``.
    public var serverNamePolicy: SslServerNamePolicy {
        get { settings.withLock { $0.names.policy } }
        set { settings.withLock { $0.names.policy = newValue } }
    }
}
