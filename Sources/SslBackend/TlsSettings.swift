public import SslValues

/// What an application's configuration comes to for one backend, one role and one kind of transport: everything is resolved
/// and nothing is left to a library's default.
public struct TlsSettings: Sendable {
    /// Which end.
    public var role: SslRole
    /// Whether ciphertext travels in a stream or in datagrams.
    public var transport: TlsTransport
    /// The lowest and highest version to negotiate.
    public var versions: ClosedRange<SslVersion>
    /// The cipher suites to offer or accept, best first. The negotiated suite is always one of these. A backend without
    /// ``SslFeature/exactCipherOrder`` may rank suites of equal cipher as its library does; a *set* it cannot express is an error.
    public var cipherSuites: [SslCipher]
    /// The key agreement groups, best first. A TLS 1.3 client sends a key share for the first only.
    public var groups: [SslGroup]
    /// The signature schemes, best first; empty for the backend's defaults at security level 2 (112 bits, no SHA-1).
    public var signatureSchemes: [SslSignatureScheme] = []
    /// The prime and generator of a server's DHE suites in TLS 1.2, as `DHParameter` of PKCS #3 in DER, already found safe; nil for the backend's
    /// choice by the strength of the certificate, 2048 bits or more.
    public var diffieHellmanParameters: [UInt8]?
    /// A server picks the cipher suite by its own order instead of the client's.
    public var serverCipherPreference = true
    /// The certificate chains and keys of this end, tried in order by what the peer can verify. Empty for an anonymous client.
    public var credentials: [TlsCredentials] = []
    /// The certificates to trust. Carried for whoever judges the peer: an engine does not look into it, and it may be a store
    /// that is loaded only when first asked.
    public var trust: any TlsTrustStore
    /// Whether a server asks for a certificate. Clients always verify: the verdict is the application's.
    public var clientCertificate: TlsClientCertificate = .none
    /// The distinguished names (DER) of the CAs a server names in its request. Empty: none are named (engines differ by
    /// default; a server with the system's store would name 140).
    public var certificateAuthorities: [[UInt8]] = []
    /// The ALPN protocols (RFC 7301), best first, each of 1 to 255 octets. Without overlap the handshake goes on and
    /// none is negotiated; whether that is acceptable is decided above.
    public var applicationProtocols: [[UInt8]] = []
    /// Pauses a server at the ClientHello with ``TlsDecision/clientHello``.
    public var pausesAtClientHello = false
    /// Session tickets of this end.
    public var tickets = TlsTicketSettings()
    /// Pre-shared keys (RFC 4279, RFC 8446 section 2.2); nil without, and then no suite may need one. The keys themselves come from
    /// ``TlsSession/preSharedKeySource``.
    public var preSharedKey: TlsPreSharedKeySettings?
    /// TLS 1.3 early data: how many octets a server takes, or whether a client may send some. 0: none.
    public var maximumEarlyData = 0
    /// OCSP stapling (RFC 6066 section 8): a client asks for the status of the server's certificate and finds it in
    /// ``TlsSession/certificateStatus``; a server is asked and gives what its ``TlsSession/statusSource`` has.
    public var staplesStatus = false
    /// TLS 1.3 post-handshake authentication may be asked of this client.
    public var allowsPostHandshakeAuthentication = false
    /// Reports each secret in the SSLKEYLOGFILE format to ``TlsSession/takeEvents()``.
    public var logsKeys = false
    /// The most octets of application data in a record sent over a stream, 512 to 16384.
    public var maximumRecordSize = 16_384
    /// TLS 1.3 records of application data are padded to a multiple of so many octets, their type included (RFC 8446 section 5.4), within
    /// ``maximumRecordSize``; 0 or 1 for none.
    public var recordPadding = 0
    /// Options in the library's own words; the names are those of ``TlsCapabilities/backendOptions``.
    public var backendOptions: [String: String] = [:]
    /// Datagrams: the largest datagram in octets, and the first retransmission timeout in milliseconds.
    public var datagram = TlsDatagramSettings()

    /// Settings with the defaults of the properties.
    public init(
        role: SslRole, transport: TlsTransport = .stream, versions: ClosedRange<SslVersion> = .tls1_2 ... .tls1_3,
        cipherSuites: [SslCipher] = SslCipher.defaults, groups: [SslGroup] = SslGroup.defaults, trust: any TlsTrustStore
    ) {
        self.role = role
        self.transport = transport
        self.versions = versions
        self.cipherSuites = cipherSuites
        self.groups = groups
        self.trust = trust
    }
}

/// How ciphertext travels.
public enum TlsTransport: Sendable, Hashable {
    /// An ordered stream of octets: TLS.
    case stream
    /// Datagrams that may be lost or reordered: DTLS.
    case datagram
}

/// A certificate chain and the private key of its leaf.
public struct TlsCredentials: Sendable {
    /// DER, leaf first, then intermediates in order.
    public var chain: [[UInt8]]
    /// The private key of the leaf, made by the same backend.
    public var key: any TlsKey

    /// Makes credentials.
    public init(chain: [[UInt8]], key: any TlsKey) {
        self.chain = chain
        self.key = key
    }
}

/// What a server wants of a client's certificate.
public enum TlsClientCertificate: Sendable, Hashable {
    /// Not asked for.
    case none
    /// Asked for; a client may have none. If it shows one, the verdict is asked for.
    case request
    /// Asked for; the verdict is asked for even if the client has none, over an empty chain.
    case demand
    /// Asked for; without one the handshake fails with `certificate_required` (TLS 1.3) or `handshake_failure` (TLS 1.2).
    case require
}

/// Pre-shared keys are negotiable.
public struct TlsPreSharedKeySettings: Sendable {
    /// The hint a TLS 1.2 server sends (RFC 4279 section 5.2): at most 128 octets, none of them zero; empty for none.
    public var identityHint: [UInt8] = []

    /// Without a hint.
    public init() {}
}

/// Datagram transport.
public struct TlsDatagramSettings: Sendable {
    /// The largest datagram in octets, without IP and UDP headers.
    public var mtu = 1200
    /// The first retransmission timeout in milliseconds; it doubles each time.
    public var initialTimeout = 1000
    /// The largest time a handshake may take, in milliseconds.
    public var totalTimeout = 60_000

    /// The defaults of the properties.
    public init() {}
}
