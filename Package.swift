// swift-tools-version:6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let collections = Target.Dependency.product(name: "OrderedCollections", package: "swift-collections")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let jwtKit = Target.Dependency.product(name: "JWTKit", package: "jwt-kit")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

/// What the readers of bytes from outside promise, replayed by the tests, or, with `PARLEY_FUZZ` in the environment, tried by libFuzzer
/// (`Tests/run --fuzz`): one folder, because a fuzzer's program cannot be linked without libFuzzer, and tests cannot be linked with it.
let fuzzed: [Target.Dependency] = ["JSON", "JSONRPC", "ParleyCore", "ParleyHost", "ParleyModels"]
let fuzz =
    Context.environment["PARLEY_FUZZ"] == nil
    ? Target.testTarget(
        name: "FuzzTests", dependencies: fuzzed, exclude: ["Corpus", "Fuzzer.swift", "run", "words.dict"], swiftSettings: strict)
    : Target.executableTarget(
        name: "Fuzz", dependencies: fuzzed, path: "Tests/FuzzTests", exclude: ["Corpus", "CorpusTests.swift", "run", "words.dict"],
        swiftSettings: strict)

/// What `parley --version` says of the commit where whoever builds knows more than git's own notes: `examples/install` marks uncommitted changes,
/// and who builds from an archive can name its origin.
let commit = Context.environment["PARLEY_COMMIT"].map { CXXSetting.define("PARLEY_COMMIT", to: "\"\($0)\"") }

let package = Package(
    name: "parley",
    products: [.executable(name: "parley", targets: ["parley"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.0"),
    ],
    targets: [
        .target(name: "CCurl", cSettings: [.treatAllWarnings(as: .error)]),
        .target(name: "CCommit", cxxSettings: [.treatAllWarnings(as: .error)] + [commit].compactMap(\.self)),
        .target(name: "CContract", cSettings: [.treatAllWarnings(as: .error)]),
        .target(name: "CSQLite", cSettings: [.treatAllWarnings(as: .error)], linkerSettings: [.linkedLibrary("sqlite3")]),
        .target(name: "CPidfd", cSettings: [.treatAllWarnings(as: .error)]),
        .target(name: "JSON", dependencies: [collections], swiftSettings: strict),
        .target(name: "JSONSchema", dependencies: ["JSON", collections], swiftSettings: strict),
        .target(name: "JSONRPC", dependencies: ["JSON"], swiftSettings: strict),
        .target(name: "ParleyContract", dependencies: ["CContract", "JSON", collections], swiftSettings: strict),
        .target(name: "ParleyCore", dependencies: ["JSON", "JSONSchema", crypto, logging], swiftSettings: strict),
        .target(name: "ParleyJWT", dependencies: ["JSON", "ParleyCore", jwtKit], swiftSettings: strict),
        .target(name: "ParleySQLite", dependencies: ["CSQLite", "JSON", "ParleyCore", grdb, sqlite, logging], swiftSettings: strict),
        .target(name: "ParleyModels", dependencies: ["CCurl", "JSON", "ParleyCore", logging], swiftSettings: strict),
        .target(
            name: "ParleyHost", dependencies: ["JSON", "JSONRPC", "ParleyContract", "ParleyCore", collections, logging],
            swiftSettings: strict),
        .target(name: "ParleyClient", dependencies: ["JSON"], swiftSettings: strict),
        .target(name: "ParleyTerminal", dependencies: ["JSON", "ParleyClient"], swiftSettings: strict),
        .target(name: "ParleyTranscripts", dependencies: ["JSON", collections], swiftSettings: strict),
        .executableTarget(
            name: "parley",
            dependencies: [
                "CCommit", "CPidfd", "JSON", "JSONRPC", "ParleyClient", "ParleyContract", "ParleyCore", "ParleyHost", "ParleyJWT",
                "ParleyModels", "ParleySQLite", "ParleyTerminal", "ParleyTranscripts", logging,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
            ],
            swiftSettings: strict
        ),

        .target(
            name: "ParleyTestSupport", dependencies: ["JSON", "ParleyCore", "ParleyTranscripts", sqlite], path: "Tests/ParleyTestSupport",
            swiftSettings: strict),
        .testTarget(name: "JSONTests", dependencies: ["JSON", collections], swiftSettings: strict),
        .testTarget(name: "JSONSchemaTests", dependencies: ["JSON", "JSONSchema"], swiftSettings: strict),
        .testTarget(name: "JSONRPCTests", dependencies: ["JSON", "JSONRPC", "ParleyTestSupport"], swiftSettings: strict),
        .testTarget(name: "ParleyContractTests", dependencies: ["JSON", "ParleyContract"], swiftSettings: strict),
        .testTarget(
            name: "ParleyJWTTests", dependencies: ["JSON", "ParleyCore", "ParleyJWT", "ParleyTestSupport", crypto, cryptoExtras, jwtKit],
            swiftSettings: strict),
        .testTarget(
            name: "ParleyCoreTests",
            dependencies: ["JSON", "ParleyCore", "ParleyModels", "ParleySQLite", "ParleyTestSupport", collections, logging],
            swiftSettings: strict),
        .testTarget(
            name: "ParleyModelsTests", dependencies: ["JSON", "ParleyCore", "ParleyModels", "ParleyTestSupport", logging],
            exclude: ["Fixtures"], swiftSettings: strict),
        .testTarget(
            name: "ParleySQLiteTests", dependencies: ["JSON", "ParleyCore", "ParleySQLite", "ParleyTestSupport", grdb, sqlite, logging],
            swiftSettings: strict),
        .testTarget(
            name: "ParleyTerminalTests", dependencies: ["JSON", "ParleyClient", "ParleyTerminal", "ParleyTestSupport"],
            swiftSettings: strict),
        .testTarget(name: "ParleyTranscriptsTests", dependencies: ["JSON", "ParleyTranscripts"], swiftSettings: strict),
        .testTarget(
            name: "ParleyHostTests",
            dependencies: [
                "JSON", "JSONRPC", "ParleyContract", "ParleyCore", "ParleyHost", "ParleySQLite", "ParleyTestSupport", "ParleyTranscripts",
                "parley",
            ],
            exclude: ["Transcripts"],
            swiftSettings: strict),
        .testTarget(name: "ProcessTests", dependencies: ["JSON", "ParleyTerminal", "ParleyTestSupport", "parley"], swiftSettings: strict),
        .testTarget(name: "TidyTests", swiftSettings: strict),
        fuzz,
        .target(
            name: "BenchmarkFloors", path: "Tests/BenchmarkFloors", exclude: ["Programs"], cSettings: [.treatAllWarnings(as: .error)],
            linkerSettings: [.linkedLibrary("sqlite3")]),
        .executableTarget(
            name: "Benchmarks", dependencies: ["BenchmarkFloors", grdb], path: "Tests/Benchmarks", swiftSettings: strict),
    ],
    swiftLanguageModes: [.v6]
)
