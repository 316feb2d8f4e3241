import ArgumentParser
import CGNU
import Foundation
import SQLStore

struct Serve: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run the service.",
    discussion: "Servers go on running when it ends; `vpsd shutdown --servers` stops them too.\n\n"
      + ConfigurationReference.help)

  @OptionGroup var options: ConfigurationOptions

  func run() async throws {
    Self.returnFreedMemory()
    SQLStore.countNoMemory()
    let configuration = try options.load()
    try await Daemon(configuration: configuration, logger: configuration.makeLogger()).run()
  }

  /// glibc takes large blocks from the system, and gives them back when they are freed, only until the first is freed: from then on it
  /// keeps blocks of that size among the small ones, in up to eight heaps for each processor.
  private static func returnFreedMemory() {
    mallopt(M_MMAP_THRESHOLD, 128 << 10)
    mallopt(M_ARENA_MAX, CInt(max(2, ProcessInfo.processInfo.activeProcessorCount)))
  }
}
