// swift-tools-version: 6.3
import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
]

let package = Package(
    name: "benchmarks",
    products: [
        .executable(name: "sslsocket-peer", targets: ["sslsocket-peer"]),
        .executable(name: "sslsocket-load", targets: ["sslsocket-load"]),
        .executable(name: "sslsocket-trust", targets: ["sslsocket-trust"]),
    ],
    dependencies: [.package(name: "sslsocket", path: "..")],
    targets: [
        .executableTarget(
            name: "sslsocket-peer", dependencies: [.product(name: "SslSockets", package: "sslsocket")], swiftSettings: settings),
        .executableTarget(
            name: "sslsocket-load", dependencies: [.product(name: "SslSockets", package: "sslsocket")], swiftSettings: settings),
        .executableTarget(
            name: "sslsocket-trust", dependencies: [.product(name: "SslSockets", package: "sslsocket")], swiftSettings: settings),
    ]
)
