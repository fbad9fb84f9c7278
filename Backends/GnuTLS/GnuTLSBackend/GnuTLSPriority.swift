#if GnuTLS
internal import CSslGnuTLS
internal import SslBackend
internal import SslValues

/// The library's one string for versions, cipher suites, groups and signature schemes, made from settings.
///
/// It begins with `NONE`, so that neither the library's defaults nor the system's priority file add anything. The grammar can
/// name key exchanges, ciphers and MACs but no suites, so what it allows is their product; a set of suites that is no such
/// product is refused, because a suite that nobody asked for must never be negotiated.
struct GnuTLSPriority {
    /// The string.
    let text: String
    /// The versions that can be negotiated: those of the settings that have a cipher suite.
    let versions: [SslVersion]

    /// The name of the option that appends to the string in the library's own words.
    static let option = "priority"

    /// Translates settings.
    init(_ settings: TlsSettings) throws(SslSocketError) {
        let wanted = try Self.versions(of: settings)
        let suites = try Self.suites(of: settings)
        let usable = suites.filter { suite in wanted.contains { Self.fits(suite.cipher, $0.version) } }
        let offered = wanted.filter { version in usable.contains { Self.fits($0.cipher, version.version) } }
        guard !usable.isEmpty else {
            throw .setting("cipherSuites", backend: gnutlsName, reason: "none of them belongs to the versions asked for")
        }
        versions = offered.map(\.version)

        var keywords = ["NONE"]
        keywords += offered.reversed().map { "+" + $0.keyword }
        // A TLS 1.3 suite names no key exchange, but the library enables (EC)DHE in TLS 1.3 through these.
        keywords += Self.keyExchanges(usable, settings).map { "+" + $0 }
        keywords += try Self.unique(usable.map { suite throws(SslSocketError) in try Self.encryption(suite) }).map { "+" + $0 }
        keywords += try Self.unique(usable.map { suite throws(SslSocketError) in try Self.mac(suite) }).map { "+" + $0 }
        keywords += ["+COMP-NULL", "+CTYPE-X509"]
        keywords += try Self.groups(of: settings).map { "+" + $0 }
        keywords += try Self.schemes(of: settings).map { "+" + $0 }
        keywords.append("%PROFILE_MEDIUM")
        if settings.role == .server && settings.serverCipherPreference { keywords.append("%SERVER_PRECEDENCE") }
        let extra = settings.backendOptions[Self.option]
        if let extra, !extra.isEmpty { keywords.append(extra) }
        text = keywords.joined(separator: ":")
        requested = Set(usable.map(\.cipher))
        isExtended = extra != nil
    }

    private let requested: Set<SslCipher>
    private let isExtended: Bool

    /// Makes the library's object and checks that it allows exactly the suites that were asked for.
    func make() throws(SslSocketError) -> gnutls_priority_t {
        var priority: gnutls_priority_t?
        var place = ""
        let native = unsafe text.withCString { start in
            var position: UnsafePointer<CChar>?
            let native = unsafe gnutls_priority_init2(&priority, start, &position, 0)
            // The position points into the text.
            if native != 0, let position = unsafe position { place = unsafe String(cString: position) }
            return native
        }
        guard native == 0, let made = unsafe priority else {
            let name = isExtended ? "backendOptions[\(Self.option)]" : "cipherSuites"
            throw .setting(
                name, backend: gnutlsName, reason: "\(gnutlsText(native))\(place.isEmpty ? "" : " at '\(place)'") in \(text)")
        }
        let allowed = unsafe Self.allowed(by: made)
        // The library lists suites of TLS 1.2 also where that version is not offered.
        let surplus = allowed.subtracting(requested).filter { suite in versions.contains { Self.fits(suite, $0) } }
        let missing = isExtended ? [] : requested.subtracting(allowed)
        guard surplus.isEmpty && missing.isEmpty else {
            unsafe gnutls_priority_deinit(made)
            let more = surplus.isEmpty ? "" : " it would also allow \(Self.list(surplus));"
            let less = missing.isEmpty ? "" : " it would not allow \(Self.list(missing));"
            throw .setting(
                "cipherSuites", backend: gnutlsName,
                reason: "GnuTLS can only allow every combination of the key exchanges and ciphers named:\(more)\(less) "
                    + "name a set that is complete in this sense")
        }
        return unsafe made
    }

    private static func allowed(by priority: gnutls_priority_t) -> Set<SslCipher> {
        var found: Set<SslCipher> = []
        var position: UInt32 = 0
        while true {
            var index: UInt32 = 0
            let native = unsafe gnutls_priority_get_cipher_suite_index(priority, position, &index)
            if native == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE { return found }
            if native == 0, let suite = GnuTLSNames.suite(at: Int(index)) { found.insert(suite.cipher) }
            position += 1
        }
    }

    // MARK: Parts

    private static func versions(of settings: TlsSettings) throws(SslSocketError) -> [GnuTLSNames.Version] {
        let isDatagram = settings.transport == .datagram
        let range = settings.versions
        guard range.lowerBound.isDatagram == isDatagram, range.upperBound.isDatagram == isDatagram else {
            throw .setting(
                "versions", backend: gnutlsName, reason: "\(range.lowerBound) to \(range.upperBound) do not fit the transport")
        }
        let available = GnuTLSCapabilities.versions
        for end in [range.lowerBound, range.upperBound] where !available.contains(end) {
            throw .setting("versions", backend: gnutlsName, reason: "this build of GnuTLS has no \(end)")
        }
        return GnuTLSNames.versions.filter { range.contains($0.version) && $0.version.isDatagram == isDatagram }
    }

    private static func suites(of settings: TlsSettings) throws(SslSocketError) -> [GnuTLSNames.Suite] {
        var list: [GnuTLSNames.Suite] = []
        for cipher in settings.cipherSuites {
            guard let suite = GnuTLSNames.suites.first(where: { $0.cipher == cipher }) else {
                throw .setting("cipherSuites", backend: gnutlsName, reason: "GnuTLS has no \(cipher.name)")
            }
            list.append(suite)
        }
        return list
    }

    /// TLS 1.3 has suites of its own; those with authenticated encryption or a SHA-2 MAC need at least TLS 1.2.
    private static func fits(_ cipher: SslCipher, _ version: SslVersion) -> Bool {
        switch version {
        case .tls1_3: cipher.isTls13
        case .tls1_2, .dtls1_2: !cipher.isTls13
        case .tls1_0, .tls1_1, .dtls1_0: !cipher.isTls13 && cipher.name.hasSuffix("_CBC_SHA")
        }
    }

    /// The key exchanges of the suites. In TLS 1.3 a pre-shared key goes with (EC)DHE if one of TLS 1.2 does, and the first that is named is
    /// preferred: so one always is, and those without forward secrecy come last.
    private static func keyExchanges(_ suites: [GnuTLSNames.Suite], _ settings: TlsSettings) -> [String] {
        var list = unique(suites.flatMap { keyExchange($0) })
        if settings.preSharedKey != nil, suites.contains(where: { $0.cipher.isTls13 }), !list.contains("ECDHE-PSK"),
            !list.contains("DHE-PSK")
        {
            list.insert("ECDHE-PSK", at: 0)
        }
        return list.filter { $0 != "PSK" } + list.filter { $0 == "PSK" }
    }

    private static func keyExchange(_ suite: GnuTLSNames.Suite) -> [String] {
        if suite.cipher.isTls13 { return [] }
        guard let name = unsafe gnutls_kx_get_name(suite.keyExchange) else { return [] }
        return [unsafe String(cString: name)]
    }

    private static func encryption(_ suite: GnuTLSNames.Suite) throws(SslSocketError) -> String {
        guard let name = unsafe gnutls_cipher_get_name(suite.encryption) else { throw unnamed(suite) }
        return unsafe String(cString: name)
    }

    private static func mac(_ suite: GnuTLSNames.Suite) throws(SslSocketError) -> String {
        guard let name = unsafe gnutls_mac_get_name(suite.mac) else { throw unnamed(suite) }
        return unsafe String(cString: name)
    }

    private static func unnamed(_ suite: GnuTLSNames.Suite) -> SslSocketError {
        .setting("cipherSuites", backend: gnutlsName, reason: "GnuTLS has no name for a part of \(suite.cipher.name)")
    }

    private static func groups(of settings: TlsSettings) throws(SslSocketError) -> [String] {
        var list: [String] = []
        for group in settings.groups {
            guard GnuTLSCapabilities.groups.contains(group), let row = GnuTLSNames.groups.first(where: { $0.group == group })
            else { throw .setting("groups", backend: gnutlsName, reason: "this build of GnuTLS has no \(group.name)") }
            list.append(row.keyword)
        }
        guard !list.isEmpty else { throw .setting("groups", backend: gnutlsName, reason: "at least one is needed") }
        return list
    }

    private static func schemes(of settings: TlsSettings) throws(SslSocketError) -> [String] {
        guard !settings.signatureSchemes.isEmpty else {
            return GnuTLSNames.schemes.filter { $0.code >> 8 != 2 }.flatMap(\.keywords)
        }
        var list: [String] = []
        for scheme in settings.signatureSchemes {
            guard let row = GnuTLSNames.schemes.first(where: { $0.code == scheme.code }) else {
                throw .setting("signatureSchemes", backend: gnutlsName, reason: "GnuTLS has no \(scheme.name)")
            }
            list += row.keywords
        }
        return list
    }

    /// Each value once, where it stood first.
    private static func unique(_ values: [String]) -> [String] {
        var seen: Set<String> = []
        return values.filter { seen.insert($0).inserted }
    }

    private static func list(_ ciphers: Set<SslCipher>) -> String { ciphers.map(\.name).sorted().joined(separator: ", ") }
}
#endif
