import Foundation
import TestSupport
import Testing

@Suite("Libraries that not every service needs")
struct LoadedLibrariesTests {
  @Test("Where nothing calls them, neither they nor those they need are loaded")
  func idle() async throws {
    try await ServiceProcess.with { service async throws in
      // Which `String(contentsOfFile:)` does not read to its end.
      let file = try #require(FileHandle(forReadingAtPath: "/proc/\(service.id)/maps"))
      let maps = String(decoding: file.readDataToEndOfFile(), as: UTF8.self)
      #expect(maps.contains("/libsqlite3.so"))
      for library in ["libvirt.so", "libvirt-qemu.so", "libpq.so", "libcurl.so", "libglib-2.0.so"] {
        #expect(!maps.contains("/\(library)"), "\(library) is loaded")
      }
    }
  }

  @Test("One that cannot be loaded ends the program when it is called, and is named")
  func damaged() async throws {
    try await withTemporaryFolder { folder in
      try Data().write(to: folder.appendingPathComponent("libpq.so.5"))
      let (process, errors) = (Process(), Pipe())
      process.executableURL = URL(fileURLWithPath: ServiceProcess.program)
      process.arguments = ["serve", "--driver", "simulated"]
      process.environment = [
        "LD_LIBRARY_PATH": folder.path, "VPSD_DATA_DIR": folder.path + "/data", "VPSD_LISTEN": "127.0.0.1:0",
        "VPSD_DATABASE": "postgresql://vpsd@127.0.0.1:1/vpsd",
      ]
      process.standardError = errors
      try process.run()
      let text = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      #expect(process.terminationStatus == 127)
      #expect(text.contains("error while loading a shared library: \(folder.path)/libpq.so.5"))
    }
  }

  @Test("Without libcurl no webhook is told of anything, and whoever wanted that is told why")
  func withoutLibcurl() throws {
    let outside = try ScopedFolder()
    try Data().write(to: outside.url.appendingPathComponent("libcurl.so.4"))
    let secret = outside.url.path + "/secret"
    try Data("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n".utf8).write(to: URL(fileURLWithPath: secret))
    chmod(secret, 0o600)
    let settings = [
      "LD_LIBRARY_PATH": outside.url.path, "VPSD_NOTIFY_WEBHOOK": "https://127.0.0.1:1/",
      "VPSD_NOTIFY_SECRET_FILE": secret,
    ]
    let said = try Operator().run(["notify", "test", "ada@example.com"], with: settings)
    #expect(said.status == 1 && said.errors.contains("libcurl cannot be used"), "\(said.all)")
  }
}
