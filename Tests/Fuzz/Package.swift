// swift-tools-version: 6.2
// Fuzzers of what reads the bytes of strangers and operators, with libFuzzer, which comes with the toolchain: a package
// of its own, because all it depends on is built again for it. `make fuzz` runs each for a while; CONTRIBUTING.md says
// how to replay a crash.
//
// The targets as they are released, with AddressSanitizer, and with libFuzzer's own `main`: hence no `@main`.
import PackageDescription

let package = Package(
    name: "fuzz",
    dependencies: [.package(name: "apus", path: "../..")],
    targets: [
        .executableTarget(
            name: "Fuzz",
            dependencies: [
                .product(name: "ApusCore", package: "apus"), .product(name: "ApusProxy", package: "apus"),
            ],
            swiftSettings: [.swiftLanguageMode(.v6), .strictMemorySafety()])
    ]
)
