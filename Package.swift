// swift-tools-version: 6.3
import Glibc
import PackageDescription

// MARK: - What this machine has

/// True when the named C header is installed for any of the usual prefixes, so that a plain `swift build`
/// enables only the backends whose development files are there. An explicit `--traits` always wins.
func hasHeader(_ name: String) -> Bool {
    let extra = Context.environment["C_INCLUDE_PATH"].map { $0.split(separator: ":").map(String.init) } ?? []
    return (["/usr/include", "/usr/local/include"] + extra).contains { access("\($0)/\(name)", F_OK) == 0 }
}

var defaultTraits: Set<String> = ["GnuTLS"]
if hasHeader("openssl/ssl.h") { defaultTraits.insert("OpenSSL") }

// MARK: - Settings of every Swift target

var strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InferIsolatedConformances"),
]
// Warnings are errors in our CI, not for whoever builds this with a newer compiler.
if Context.environment["SSLSOCKET_WARNINGS_AS_ERRORS"] == "1" {
    strict.append(.treatAllWarnings(as: .error))
}

// MARK: - The package

let package = Package(
    name: "sslsocket",
    products: [
        .library(name: "SslSockets", targets: ["SslSockets"]),
        .library(name: "SslBackend", targets: ["SslBackend"]),
        .library(name: "SslTestKit", targets: ["SslTestKit"]),
        .executable(name: "sslsocket", targets: ["sslsocket"]),
    ],
    traits: [
        .default(enabledTraits: defaultTraits),
        .trait(name: "GnuTLS", description: "The GnuTLS backend (needs libgnutls28-dev and nettle-dev)."),
        .trait(name: "OpenSSL", description: "The OpenSSL backend (needs libssl-dev)."),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.7.0")
    ],
    targets: [
        // The values everybody speaks in, and the contract of a TLS engine.
        .target(name: "SslValues", swiftSettings: strict),
        .target(name: "SslBackend", dependencies: ["SslValues"], swiftSettings: strict),

        // The engines. Each wraps one system library and knows nothing of sockets.
        .systemLibrary(
            name: "CSslGnuTLS", path: "Backends/GnuTLS/CSslGnuTLS", pkgConfig: "gnutls",
            providers: [.apt(["libgnutls28-dev"]), .yum(["gnutls-devel"])]),
        .systemLibrary(
            name: "CSslNettle", path: "Backends/GnuTLS/CSslNettle", pkgConfig: "nettle",
            providers: [.apt(["nettle-dev"]), .yum(["nettle-devel"])]),
        .systemLibrary(
            name: "CSslOpenSSL", path: "Backends/OpenSSL/CSslOpenSSL", pkgConfig: "openssl",
            providers: [.apt(["libssl-dev"]), .yum(["openssl-devel"])]),
        .target(
            name: "GnuTLSBackend",
            dependencies: [
                "SslValues", "SslBackend",
                .target(name: "CSslGnuTLS", condition: .when(traits: ["GnuTLS"])),
                .target(name: "CSslNettle", condition: .when(traits: ["GnuTLS"])),
            ],
            path: "Backends/GnuTLS/GnuTLSBackend", swiftSettings: strict),
        .target(
            name: "OpenSSLBackend",
            dependencies: [
                "SslValues", "SslBackend",
                .target(name: "CSslOpenSSL", condition: .when(traits: ["OpenSSL"])),
            ],
            path: "Backends/OpenSSL/OpenSSLBackend", swiftSettings: strict),

        // What an application imports.
        .target(name: "CSslLinux"),
        .target(
            name: "SslSockets",
            dependencies: [
                "SslValues", "SslBackend", "CSslLinux",
                .target(name: "GnuTLSBackend", condition: .when(traits: ["GnuTLS"])),
                .target(name: "OpenSSLBackend", condition: .when(traits: ["OpenSSL"])),
            ],
            swiftSettings: strict),

        // A CA of one's own, memory pipes, faults, and the scenarios of the backend comparison.
        .target(name: "SslTestKit", dependencies: ["SslValues", "SslBackend", "SslSockets"], swiftSettings: strict),

        .executableTarget(
            name: "sslsocket",
            dependencies: [
                "SslValues", "SslBackend", "SslSockets", "SslTestKit",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: strict),

        .testTarget(name: "SslBackendTests", dependencies: ["SslBackend", "SslSockets", "SslTestKit"], swiftSettings: strict),
        .testTarget(
            name: "SslSocketsTests", dependencies: ["SslBackend", "SslSockets", "SslTestKit", "CSslLinux"],
            swiftSettings: strict),
        .testTarget(name: "BackendMatrixTests", dependencies: ["SslSockets", "SslTestKit"], swiftSettings: strict),
        // Other programs, run and watched by tests.
        .target(
            name: "TestProcesses", dependencies: ["SslSockets", "SslTestKit"], path: "Tests/TestProcesses", swiftSettings: strict),
        .testTarget(
            name: "SslSocketToolTests", dependencies: ["SslSockets", "SslTestKit", "TestProcesses", "sslsocket"],
            swiftSettings: strict),
        .testTarget(
            name: "RealPeerTests", dependencies: ["SslBackend", "SslSockets", "SslTestKit", "TestProcesses"],
            swiftSettings: strict),
    ]
)

// MARK: - Fuzzing

// Built by scripts/fuzz alone, for libFuzzer needs flags that a package others depend on must not have.
if Context.environment["SSLSOCKET_FUZZ"] == "1" {
    package.targets.append(
        .executableTarget(
            name: "fuzz", dependencies: ["SslValues", "SslBackend", "SslSockets", "SslTestKit"], path: "Tests/Fuzz",
            swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])],
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer"])]))
}
