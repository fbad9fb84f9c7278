// swift-tools-version: 6.3
import PackageDescription

// The smallest program over the library, with the backends named in LINKAGE_TRAITS: check-linkage looks at what it links.
let traits = (Context.environment["LINKAGE_TRAITS"] ?? "GnuTLS,OpenSSL").split(separator: ",")

let package = Package(
    name: "linkage",
    dependencies: [
        .package(name: "sslsocket", path: "../..", traits: Set(traits.map { .init(stringLiteral: String($0)) }))
    ],
    targets: [
        .executableTarget(name: "linkage", dependencies: [.product(name: "SslSockets", package: "sslsocket")])
    ]
)
