// swift-tools-version: 6.2
import PackageDescription

/// Warnings are errors where nobody is waiting at a prompt: in CI, or on request.
let strict = Context.environment["CI"] != nil || Context.environment["VPSD_STRICT"] != nil

let settings: [SwiftSetting] =
  [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
  ] + (strict ? [.treatAllWarnings(as: .error)] : [])

/// For `vpsd --version`, said by whoever builds what is given away (Makefile); a source build needs no git.
let commit = (Context.environment["VPSD_COMMIT"] ?? "").filter {
  $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-")
}

let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(name: "HummingbirdCore", package: "hummingbird")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let nio = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioHTTPTypes = Target.Dependency.product(name: "NIOHTTPTypes", package: "swift-nio-extras")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")

/// Programs that are given away bring the runtime of Swift with them. Below Foundation are libraries that only its static modules
/// would name. Nothing is loaded that would call into them, so no symbols are exported, and lld writes down in a hundredth of the room
/// where addresses are to be adapted at the start: both would be read into memory then, and stay.
func staticRuntime(and more: [String] = []) -> [LinkerSetting] {
  [
    .unsafeFlags(
      [
        "-static-stdlib", "-lswiftSynchronization", "-lCoreFoundation", "-l_FoundationICU", "-l_FoundationCShims",
        "-l_FoundationCollections", "-lstdc++", "-use-ld=lld", "-Xlinker", "--no-export-dynamic", "-Xlinker", "-z",
        "-Xlinker", "pack-relative-relocs",
      ] + more, .when(platforms: [.linux], configuration: .release))
  ]
}

// The arrows below are the law of the house (ARCHITECTURE.md): a target imports what is listed here and nothing else.
let package = Package(
  name: "vpsd",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "vpsd", targets: ["vpsd"]), .executable(name: "vpsctl", targets: ["vpsctl"]),
    .library(name: "APIClient", targets: ["APIClient"]),
  ],
  dependencies: [
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: ["FullFoundation"]),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // What these three have in their headers is in libraries that are loaded when they are first called.
    .target(name: "CLoading"),
    .target(name: "CLibvirt", dependencies: ["CLoading"]),
    .target(name: "CPostgreSQL", dependencies: ["CLoading"]),
    .target(name: "CCurl", dependencies: ["CLoading"]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CGNU"),
    .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"])]),
    .target(name: "CBuild", cSettings: [.define("VPSD_COMMIT", to: "\"\(commit)\"")]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CQREncode", pkgConfig: "libqrencode", providers: [.apt(["libqrencode-dev"])]),
    .systemLibrary(name: "CCrypt", pkgConfig: "libcrypt", providers: [.apt(["libcrypt-dev"])]),

    .target(name: "Core", swiftSettings: settings),
    .target(name: "PrivateFiles", dependencies: ["CGNU"], swiftSettings: settings),
    .target(name: "HostPrograms", dependencies: ["Core", "PrivateFiles", "CGNU"], swiftSettings: settings),
    .target(
      name: "HostNetwork", dependencies: ["Core", "PrivateFiles", "HostPrograms", logging], swiftSettings: settings),
    .target(name: "HostImages", dependencies: ["Core", "PrivateFiles", "HostPrograms"], swiftSettings: settings),
    .target(
      name: "SQLStore",
      dependencies: ["Core", "CPostgreSQL", "CSQLite", grdb, sqlite],
      swiftSettings: settings),
    .target(
      name: "Engine",
      dependencies: ["Core", "COpenSSL", "CCrypt", logging],
      swiftSettings: settings),
    .target(
      name: "LibvirtDriver",
      dependencies: [
        "Core", "PrivateFiles", "HostPrograms", "HostImages", "HostNetwork", "CGNU", "CLibvirt", "COpenSSL", logging,
      ],
      swiftSettings: settings),
    .target(
      name: "IncusDriver",
      dependencies: [
        "Core", "PrivateFiles", "HostPrograms", "HostImages", "HostNetwork", "COpenSSL", nio, logging,
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOWebSocket", package: "swift-nio"),
        .product(name: "NIOTLS", package: "swift-nio"), .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ],
      swiftSettings: settings),
    .target(name: "SimulatedDriver", dependencies: ["Core", "PrivateFiles"], swiftSettings: settings),
    .target(name: "NoticeDelivery", dependencies: ["Core", "CCurl", "COpenSSL", "CGNU"], swiftSettings: settings),
    .target(name: "ReverseDNS", dependencies: ["Core", "HostPrograms"], swiftSettings: settings),
    .target(name: "HTML", swiftSettings: settings),
    .target(name: "Documentation", dependencies: ["HTML"], swiftSettings: settings),
    .target(
      name: "API",
      dependencies: [
        "Core", "Engine", "Documentation", "CBuild", "CZlib", hummingbird, hummingbirdCore, httpTypes, nio,
        nioHTTPTypes,
        logging,
        // For the WebSockets of consoles, and the sockets that they lead to.
        .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOWebSocket", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      // Built in by CBuild.
      exclude: ["Console/console.html", "Console/console.bg.html", "Console/console.js", "Console/console.css"],
      swiftSettings: settings),
    .target(
      name: "Panel",
      dependencies: ["Core", "Engine", "API", "HTML", "CBuild", "CQREncode", hummingbird, httpTypes, nio],
      exclude: ["Assets/panel.css", "Assets/panel.js"],
      swiftSettings: settings),
    .target(name: "APIClient", dependencies: ["CCurl"], swiftSettings: settings),
    .systemLibrary(name: "CYAML", providers: [.apt(["libyaml-dev"])]),
    .executableTarget(
      name: "vpsctl",
      dependencies: [
        "APIClient", "PrivateFiles", "CYAML", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings,
      // It is started again and again, and libraries that are in it are not looked for: docs/decisions/006-http-of-vpsctl.md.
      linkerSettings: staticRuntime() + [
        // Nothing to be found or loaded at the start: the archive itself.
        .linkedLibrary(":libyaml.a", .when(platforms: [.linux])), .linkedLibrary("yaml", .when(platforms: [.macOS])),
      ]),
    .executableTarget(
      name: "vpsd",
      dependencies: [
        "Core", "PrivateFiles", "SQLStore", "Engine", "HostPrograms", "HostImages", "HostNetwork", "LibvirtDriver",
        "IncusDriver", "SimulatedDriver", "NoticeDelivery", "ReverseDNS", "API", "Panel", "Documentation", "CBuild",
        hummingbird,
        "CGNU", hummingbirdCore, logging, nio, lifecycle, "Yams",
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings,
      linkerSettings: staticRuntime()),

    // `swift build --product` takes one program, and the second would wait for all of the first (Makefile).
    .target(name: "Programs", dependencies: ["vpsd", "vpsctl"], swiftSettings: settings),

    // What several test targets share: clocks that do not run by themselves, a whole service in memory, conformance suites.
    .target(
      name: "TestSupport",
      dependencies: ["Core", "SQLStore", "Engine", "SimulatedDriver", "CPostgreSQL", "CGNU", logging, "Yams"],
      path: "Tests/TestSupport",
      swiftSettings: settings),
    .testTarget(
      name: "NoticeDeliveryTests",
      dependencies: [
        "Core", "Engine", "NoticeDelivery", "SQLStore", "SimulatedDriver", "TestSupport", nio, logging,
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "ReverseDNSTests", dependencies: ["Core", "ReverseDNS", "TestSupport"], swiftSettings: settings),
    .testTarget(name: "HTMLTests", dependencies: ["HTML"], swiftSettings: settings),
    .testTarget(name: "CoreTests", dependencies: ["Core"], swiftSettings: settings),
    .testTarget(
      name: "SQLStoreTests", dependencies: ["Core", "SQLStore", "Engine", "SimulatedDriver", "TestSupport", grdb],
      exclude: ["Fixtures"],
      swiftSettings: settings),
    .testTarget(
      name: "EngineTests",
      dependencies: ["Core", "Engine", "SQLStore", "SimulatedDriver", "TestSupport", logging],
      swiftSettings: settings),
    .testTarget(
      name: "SimulatedDriverTests", dependencies: ["Core", "SimulatedDriver", "TestSupport"], swiftSettings: settings),
    .testTarget(
      name: "HostNetworkTests", dependencies: ["Core", "HostPrograms", "HostNetwork", "TestSupport", logging],
      swiftSettings: settings),
    .testTarget(
      name: "LibvirtDriverTests",
      dependencies: [
        "Core", "PrivateFiles", "HostPrograms", "HostImages", "HostNetwork", "LibvirtDriver", "TestSupport", logging,
      ],
      swiftSettings: settings),
    .testTarget(
      name: "IncusDriverTests",
      dependencies: [
        "Core", "HostImages", "HostNetwork", "IncusDriver", "TestSupport", nio, logging,
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "APITests",
      dependencies: [
        "Core", "Engine", "API", "Documentation", "SQLStore", "SimulatedDriver", "TestSupport", hummingbird, httpTypes,
        nio, logging, lifecycle, "Yams", .product(name: "NIOEmbedded", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "PanelTests",
      dependencies: [
        "Panel", "API", "Core", "Engine", "Documentation", "SQLStore", "SimulatedDriver", "TestSupport", "CZlib",
        hummingbird,
        httpTypes, nio, logging, .product(name: "NIOEmbedded", package: "swift-nio"),
      ],
      swiftSettings: settings),
    .testTarget(
      name: "vpsdTests",
      dependencies: [
        "vpsd", "API", "HTML", "Documentation", "Core", "PrivateFiles", "HostNetwork", "SQLStore", "SimulatedDriver",
        "TestSupport", nio, grdb, logging,
      ],
      swiftSettings: settings),
    .testTarget(
      name: "vpsctlTests", dependencies: ["vpsctl", "vpsd", "APIClient", "TestSupport", "Yams"],
      swiftSettings: settings),
    .testTarget(name: "EndToEndTests", dependencies: ["APIClient", "TestSupport"], swiftSettings: settings),
  ]
)
