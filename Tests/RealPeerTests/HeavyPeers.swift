internal import Glibc

/// Peers that bring servers of their own: they run where `scripts/test-peers` has installed them.
enum HeavyPeers {
    /// The environment variable that `scripts/test-peers` sets.
    static let variable = "SSLSOCKET_HEAVY_PEERS"
    /// They are to be tested. A missing program is a failure then.
    static let areWanted = unsafe getenv(variable).map { unsafe String(cString: $0) } == "1"
    /// Why they are not, otherwise.
    static let reason = "scripts/test-peers installs nginx, the servers with STARTTLS and the proxies, and runs these tests"
}
