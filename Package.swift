// swift-tools-version: 6.2
import PackageDescription

// Every target marks each unsafe expression (`unsafe`), so a search finds them all; `Lifetimes`
// lets `Buffer` and `Head` hand out spans of the memory they own, as swift-collections does.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableExperimentalFeature("Lifetimes"),
    // Half the instructions of a request went into asking at run time whether two accesses to one object overlap
    // (docs/decisions.md, decision 2). Debug builds, and with them all tests and sanitizers, still ask.
    .unsafeFlags(["-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

// Arrows point up only: a target imports what stands above it. TidyTests/ImportGraphTests holds it.
let package = Package(
    name: "apus",
    products: [
        .executable(name: "apus", targets: ["apus"]),
        // The pure parts, for the micro-benchmarks in Benchmarks/.
        .library(name: "ApusCore", targets: ["Core", "HTTP1", "Model", "RegularExpressions", "Routing", "Telemetry"]),
        // What reads the beginnings of connections, for the fuzzers in Tests/Fuzz.
        .library(name: "ApusProxy", targets: ["Proxy", "TLS", "HTTP2", "DNS"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        .target(name: "CLinux"),
        .target(name: "Core", dependencies: ["CLinux"], swiftSettings: settings),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .target(name: "TLS", dependencies: ["Core", "COpenSSL"], swiftSettings: settings),
        .target(name: "HTTP1", dependencies: ["Core"], swiftSettings: settings),
        .systemLibrary(name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
        .target(name: "HTTP2", dependencies: ["Core", "HTTP1", "CNghttp2"], swiftSettings: settings),
        .systemLibrary(name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
        .target(name: "RegularExpressions", dependencies: ["CPCRE2"], swiftSettings: settings),
        .systemLibrary(name: "CCares", pkgConfig: "libcares", providers: [.apt(["libc-ares-dev"])]),
        .target(name: "DNS", dependencies: ["Core", "CCares"], swiftSettings: settings),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .target(name: "YAML", dependencies: ["CYAML"], swiftSettings: settings),
        .target(name: "Model", dependencies: ["RegularExpressions", "YAML"], swiftSettings: settings),
        .target(name: "Routing", dependencies: ["Core", "RegularExpressions"], swiftSettings: settings),
        .target(name: "Telemetry", dependencies: ["Core", "HTTP1", "HTTP2", "Routing"], swiftSettings: settings),
        .target(
            name: "Proxy",
            dependencies: ["Core", "HTTP1", "HTTP2", "Model", "RegularExpressions", "Routing", "TLS", "Telemetry"],
            swiftSettings: settings),
        .target(
            name: "Control",
            dependencies: [
                "Core", "HTTP1", "HTTP2", "DNS", "Model", "RegularExpressions", "Routing", "TLS", "Telemetry", "Proxy",
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: settings),
        .target(
            name: "CLI",
            dependencies: [
                "Core", "HTTP1", "Model", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: settings),
        .executableTarget(
            name: "apus",
            dependencies: ["Control", "CLI", .product(name: "ArgumentParser", package: "swift-argument-parser")],
            swiftSettings: settings,
            // Foundation, linked statically, brings the way in which it writes files, and the linker warns of mktemp(3)
            // in it. Nothing here writes files by Foundation (TidyTests), so that symbol may lead nowhere.
            linkerSettings: [.unsafeFlags(["-Xlinker", "--defsym=mktemp=0"], .when(configuration: .release))]),

        // What a run of the tests makes on this machine, and how it is removed.
        .target(name: "TestRuns", path: "Tests/TestRuns", swiftSettings: settings),
        .testTarget(name: "CoreTests", dependencies: ["Core", "TestRuns"], swiftSettings: settings),
        .testTarget(name: "HTTP1Tests", dependencies: ["HTTP1", "Core"], swiftSettings: settings),
        // Certificates made for one run of the tests.
        .target(
            name: "TestCertificates", dependencies: ["TestRuns"], path: "Tests/TestCertificates",
            swiftSettings: settings),
        .testTarget(name: "TLSTests", dependencies: ["TLS", "Core", "COpenSSL"], swiftSettings: settings),
        .testTarget(name: "HTTP2Tests", dependencies: ["HTTP2", "HTTP1", "Core"], swiftSettings: settings),
        .testTarget(name: "DNSTests", dependencies: ["DNS", "Core"], swiftSettings: settings),
        .testTarget(name: "YAMLTests", dependencies: ["YAML"], swiftSettings: settings),
        .testTarget(name: "ModelTests", dependencies: ["Model"], swiftSettings: settings),
        .testTarget(
            name: "RegularExpressionsTests", dependencies: ["RegularExpressions"], swiftSettings: settings),
        .testTarget(
            name: "RoutingTests", dependencies: ["Routing", "RegularExpressions", "Core"], swiftSettings: settings),
        .testTarget(
            name: "TelemetryTests", dependencies: ["Telemetry", "Core", "HTTP1", "HTTP2", "Routing", "TestRuns"],
            swiftSettings: settings),
        .testTarget(
            name: "ProxyTests",
            dependencies: [
                "Proxy", "Core", "HTTP1", "HTTP2", "Model", "RegularExpressions", "Routing", "TLS", "TestCertificates",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "ControlTests",
            dependencies: [
                "Control", "CLI", "Core", "DNS", "HTTP1", "HTTP2", "Model", "Proxy", "RegularExpressions", "Routing",
                "TLS",
                "TestCertificates",
                "TestRuns",
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: settings),
        .testTarget(
            name: "CLITests",
            dependencies: [
                "CLI", "Core", "Model", "TestRuns",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: settings),
        .testTarget(
            name: "ScenarioTests", dependencies: ["apus", "TestCertificates", "TestRuns"], exclude: ["Clients"],
            swiftSettings: settings),
        .testTarget(
            name: "SimulationTests",
            dependencies: ["Proxy", "Core", "HTTP1", "HTTP2", "Model", "Routing", "TLS", "Telemetry"],
            swiftSettings: settings),
        .testTarget(name: "TidyTests"),
    ]
)
