internal import SslBackend
public import SslValues

// What QSslSocket says about the TLS libraries. More is said by ``SslBackends`` and a backend's capabilities; here, as in Qt, a name that is no
// backend's comes to nothing, to an empty list or to false.
extension SslSocket {
    // MARK: The choice

    /// There is a backend that can make connections (`supportsSsl`).
    public static var supportsSsl: Bool { isClassImplemented(.socket) }

    /// The names of all backends, in order of preference (`availableBackends`).
    public static var availableBackends: [String] { SslBackends.available }

    /// The name of the backend that is used where a configuration names none (`activeBackend`); empty when there is none.
    public static var activeBackend: String { (try? SslBackends.active().name) ?? "" }

    /// Selects that backend (`setActiveBackend`). Unlike Qt, it may be changed at any time; connections that exist keep theirs.
    ///
    /// - Returns: false for a name that is no backend's; the choice is unchanged then. ``SslBackends/setActive(_:)`` says why.
    @discardableResult
    public static func setActiveBackend(_ name: String) -> Bool { (try? SslBackends.setActive(name)) != nil }

    // MARK: The library

    /// The version of the TLS library that is loaded, as a number of its own: 0x030709 for GnuTLS 3.7.9, 0x30000160 for OpenSSL 3.0.22
    /// (`sslLibraryVersionNumber`). 0 without a backend of that name.
    ///
    /// - Parameter backend: the name of a backend; nil for the active one.
    public static func sslLibraryVersionNumber(backend: String? = nil) -> Int { known(backend)?.libraryVersionNumber ?? 0 }

    /// The version of the TLS library that is loaded, as it prints itself (`sslLibraryVersionString`); empty without a backend of that name.
    public static func sslLibraryVersionString(backend: String? = nil) -> String { known(backend)?.libraryVersion ?? "" }

    /// The version of the headers the backend was compiled with, as a number (`sslLibraryBuildVersionNumber`); 0 without a backend of that name.
    public static func sslLibraryBuildVersionNumber(backend: String? = nil) -> Int {
        known(backend)?.libraryBuildVersionNumber ?? 0
    }

    /// The version of the headers the backend was compiled with (`sslLibraryBuildVersionString`); empty without a backend of that name.
    public static func sslLibraryBuildVersionString(backend: String? = nil) -> String {
        known(backend)?.libraryBuildVersion ?? ""
    }

    // MARK: What it can do

    /// The values of ``SslProtocol`` a backend can be asked for (`supportedProtocols`): an exact version it has, and every range of which it has at
    /// least one version. Those of DTLS are listed too, and are not for sockets.
    ///
    /// - Parameter backend: the name of a backend; nil for the active one.
    public static func supportedProtocols(backend: String? = nil) -> [SslProtocol] {
        guard let versions = known(backend)?.capabilities.versions else { return [] }
        return SslProtocol.allCases.filter { candidate in
            guard let range = candidate.versions else { return false }
            return versions.contains { range.contains($0) && $0.isDatagram == range.lowerBound.isDatagram }
        }
    }

    /// Whether a backend can be asked for a version or range (`isProtocolSupported`).
    public static func isProtocolSupported(_ version: SslProtocol, backend: String? = nil) -> Bool {
        supportedProtocols(backend: backend).contains(version)
    }

    /// The groups of classes a backend implements (`implementedClasses`).
    public static func implementedClasses(backend: String? = nil) -> [SslImplementedClass] {
        guard let classes = known(backend)?.capabilities.classes else { return [] }
        return SslImplementedClass.allCases.filter { classes.contains($0) }
    }

    /// Whether a backend implements a group of classes (`isClassImplemented`).
    public static func isClassImplemented(_ group: SslImplementedClass, backend: String? = nil) -> Bool {
        known(backend)?.capabilities.classes.contains(group) ?? false
    }

    /// What a backend can do (`supportedFeatures`). What it cannot, and why, stands in its capabilities.
    public static func supportedFeatures(backend: String? = nil) -> [SslFeature] {
        guard let features = known(backend)?.capabilities.features else { return [] }
        return SslFeature.allCases.filter { features.contains($0) }
    }

    /// Whether a backend can do something (`isFeatureSupported`).
    public static func isFeatureSupported(_ feature: SslFeature, backend: String? = nil) -> Bool {
        known(backend)?.capabilities.features.contains(feature) ?? false
    }

    private static func known(_ backend: String?) -> (any TlsBackend)? { try? SslBackends.resolve(backend) }
}
