// swift-tools-version: 6.3
import PackageDescription

let package = Package(
    name: "benchmarks",
    products: [.executable(name: "sslsocket-peer", targets: ["sslsocket-peer"])],
    dependencies: [.package(name: "sslsocket", path: "..")],
    targets: [
        .executableTarget(
            name: "sslsocket-peer",
            dependencies: [.product(name: "SslSockets", package: "sslsocket")],
            swiftSettings: [
                .swiftLanguageMode(.v6),
                .strictMemorySafety(),
                .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
                .enableUpcomingFeature("InternalImportsByDefault"),
                .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("ExistentialAny"),
            ])
    ]
)
