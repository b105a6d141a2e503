// swift-tools-version: 6.2
// Micro-benchmarks of the pure targets, with ordo-one/benchmark: a package of its own, so that nobody who
// builds Apus has to fetch it. There is nothing to install.
//
//   cd Benchmarks
//   swift package benchmark                       all, as tables
//   swift package benchmark --filter 'rules.*'    some
//   swift package benchmark thresholds check      fails if a count is worse than what Thresholds/ holds
//
// One folder per target in Benchmarks/. Thresholds/ has one file per benchmark and holds counts only, which do
// not flake; times are for reading. `swift package --allow-writing-to-package-directory benchmark thresholds
// update` writes both: delete the lines with times before you commit.
//
// The tool's own malloc metrics need two more packages that replace functions of the C library and the Swift
// runtime (its traits). `CAllocationCounter` does as much of that as we need in a page of C, and gives the
// metric `Allocations`: so the traits stay off. `instructions` shows where the kernel offers perf counters.
import PackageDescription

let settings: [SwiftSetting] = [.swiftLanguageMode(.v6)]

let package = Package(
    name: "benchmarks",
    dependencies: [
        .package(name: "apus", path: ".."),
        .package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []),
    ],
    targets: [
        .target(name: "CAllocationCounter"),
        .target(
            name: "Measuring",
            dependencies: ["CAllocationCounter", .product(name: "Benchmark", package: "benchmark")],
            swiftSettings: settings),
        .executableTarget(
            name: "HTTP1Benchmarks",
            dependencies: [
                "Measuring",
                .product(name: "ApusCore", package: "apus"),
                .product(name: "Benchmark", package: "benchmark"),
            ],
            path: "Benchmarks/HTTP1Benchmarks",
            swiftSettings: settings,
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
        .executableTarget(
            name: "RoutingBenchmarks",
            dependencies: [
                "Measuring",
                .product(name: "ApusCore", package: "apus"),
                .product(name: "Benchmark", package: "benchmark"),
            ],
            path: "Benchmarks/RoutingBenchmarks",
            swiftSettings: settings,
            plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
    ]
)
