import ArgumentParser
import Core
import Foundation
import HostImages

struct ImageAdd: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add", abstract: "Add an image that somebody publishes, or a newer version of it.",
    discussion: """
      It may be a qcow2 or raw disk, also compressed by xz or zstd. It is held to its checksum and signature, checked, and \
      converted, all by programs without rights; servers are made from it once it is whole. Without a source it comes from \
      its publisher, where that is known: see `vpsd image list --known`.
      """)

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "What it is to be called: ubuntu-24.04.") var name: String
  @OptionGroup(title: "Where it comes from") var source: ImageSourceOptions
  @OptionGroup(title: "How machines run it") var properties: ImagePropertyOptions
  @OptionGroup(title: "Limits") var limits: ImageLimitOptions
  @OptionGroup(title: "The catalogue") var system: ImageSystemOptions

  func validate() throws {
    try requireSlug(name, "The name")
    if !source.isEmpty, let violation = source.source.violation { throw ValidationError(violation) }
    try properties.check()
    try limits.check()
    try system.check()
  }

  func run() async throws {
    let configuration = try options.load()
    let known = try source.isEmpty ? configuration.known(name) : nil
    let properties = self.properties.applied(to: known?.properties ?? .ofOthers)
    let catalogue = try await system.openCatalogue(options, for: properties.defaultUser)
    try await configuration.markImages()
    var addition = ImageAddition(
      store: configuration.images, name: name, source: known?.source ?? source.source, properties: properties,
      date: ImageAddition.today)
    addition.osName = system.os ?? known?.os
    addition.minimumDiskGiB = self.properties.minimumDisk ?? known?.minimumDiskGiB
    addition.limits = limits.limits
    try await addition.run(
      telling: output,
      catalogue.map { catalogue in
        { try await system.offer(name, for: addition.properties.defaultUser, from: known, in: catalogue) }
      })
  }
}

struct ImageUpdate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "update", abstract: "Add what the publisher of an image has now; servers that there are keep theirs.",
    discussion: "It comes from where the current version came from, is held to the same keys, and runs in the same way."
  )

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions
  @Argument(help: "Its name.") var name: String
  @Option(name: .customLong("sha256"), help: "What it must be, where that is not told by a list of checksums.")
  var sha256: String?
  @OptionGroup(title: "Limits") var limits: ImageLimitOptions

  func validate() throws {
    try requireSlug(name, "The name")
    try limits.check()
  }

  func run() async throws {
    let images = try options.load().images
    guard let version = try? images.currentVersion(of: name) else {
      throw Refusal.noSuch("There is no image \(name.quoted): see `vpsd image list`.")
    }
    let description = try images.description(of: name, version: version)
    guard var source = description.source, source.url != nil else {
      throw Refusal.refused(
        description.source == nil
          ? "\(name) was built here: `vpsd image build \(name)` makes a newer one."
          : "\(name) came from a file: give the newer one to `vpsd image add`.")
    }
    if let sha256 {
      guard source.sha256 != nil else { throw ValidationError("--sha256: \(name) is held to a list of checksums.") }
      source.sha256 = sha256
      if let violation = source.violation { throw ValidationError(violation) }
    } else if source.sha256 != nil {
      throw ValidationError("--sha256: \(name) is held to one: say which the newer one has.")
    }
    var addition = ImageAddition(
      store: images, name: name, source: source, properties: description.properties, date: ImageAddition.today)
    addition.osName = description.osName
    // A minimum that equals the earlier disk's size was derived from it, and is derived again.
    let gibibytes = description.virtualSizeBytes.map { Int(($0 + (1 << 30) - 1) >> 30) }
    addition.minimumDiskGiB = description.minimumDiskGiB == gibibytes ? nil : description.minimumDiskGiB
    addition.limits = limits.limits
    addition.known = description
    try await addition.run(telling: output, nil)
  }
}

extension ImageProperties {
  /// The defaults for images that others publish.
  static let ofOthers = ImageProperties(
    seedFormat: .nocloud, defaultUser: "root", hasGuestAgent: false, firmware: .bios, architecture: .amd64)
}

extension Configuration {
  fileprivate func known(_ name: String) throws -> KnownImage {
    guard let known = try KnownImage.named(name, in: recipeDirectory) else {
      throw Refusal.noSuch(
        "Nobody is known who publishes \(name.quoted): give --file or --url, or see `vpsd image list --known`.")
    }
    if let violation = known.source.violation {
      throw Refusal.refused("What is known of \(name) breaks a rule: \(violation)")
    }
    return known
  }
}

extension ImageAddition {
  /// Today in UTC, as `20250110`.
  fileprivate static var today: String { SystemClock().now.displayed.prefix(10).filter { $0 != "-" } }

  /// Shows the progress, and then the result, including that in the catalogue.
  fileprivate func run(telling output: OutputOptions, _ offer: (() async throws -> String)?) async throws {
    var addition = self
    let line = ProgressLine()
    addition.progress = { line.show($0) }
    defer { line.clear() }
    let added = try addition.run()
    line.clear()
    var sentence =
      added.isNew
      ? "The image \(name) has the version \(added.version) now, which new servers have."
      : "The image \(name) has this already: its version \(added.version) is what new servers have."
    if source.file != nil, source.sha256 == nil, let sum = added.description.sourceSHA256 {
      sentence += "\nIt was held to no checksum. Its SHA-256 is \(sum)."
    }
    if let offer { sentence += "\n" + (try await offer()) }
    output.tell(sentence, ImageRecord(name, added.version, in: store))
  }
}
