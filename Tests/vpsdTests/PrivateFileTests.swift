import Foundation
import PrivateFiles
import TestSupport
import Testing

@Suite("A file that only its owner may read")
struct PrivateFileTests {
  private func permissions(of path: String) throws -> Int {
    try #require(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber).intValue
  }

  private func text(of path: String) -> String? {
    FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) }
  }

  @Test("Is made whole, in as many pieces as there are, where nothing is yet")
  func new() async throws {
    try await withTemporaryFolder { folder async throws in
      let path = folder.path + "/key"
      let pieces = (0..<3).map { [UInt8](repeating: $0 + 65, count: 300_000) }
      try PrivateFile.create(new: path) { file throws(HostError) in for piece in pieces { try file.write(piece) } }
      #expect(FileManager.default.contents(atPath: path) == Data(pieces.joined()))
      #expect(try permissions(of: path) == 0o600)
      let error = #expect(throws: HostError.self) { try PrivateFile.create(new: path, "other".utf8) }
      #expect(error?.number == EEXIST && error?.description == "create \(path): File exists")
      #expect(FileManager.default.contents(atPath: path)?.count == 900_000)
      let link = folder.path + "/link"
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: folder.path + "/elsewhere")
      #expect(throws: HostError.self) { try PrivateFile.create(new: link, "secret".utf8) }
      #expect(text(of: folder.path + "/elsewhere") == nil)
    }
  }

  @Test("Is not there at all where what was to be in it could not be had")
  func half() async throws {
    try await withTemporaryFolder { folder async throws in
      let path = folder.path + "/copy"
      let lost = HostError(call: "read what is copied", number: EIO)
      let error = #expect(throws: HostError.self) {
        try PrivateFile.create(new: path) { file throws(HostError) in
          try file.write("half".utf8)
          throw lost
        }
      }
      #expect(error == lost)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }
  }

  @Test("Takes the place of another as a whole, whatever a process that was killed has left beside it")
  func replacement() async throws {
    try await withTemporaryFolder { folder async throws in
      let path = folder.path + "/token"
      try "old".write(toFile: path, atomically: true, encoding: .utf8)
      chmod(path, 0o644)
      try "half".write(toFile: path + ".new", atomically: true, encoding: .utf8)
      chmod(path + ".new", 0o666)
      try PrivateFile.write("new".utf8, to: path)
      #expect(text(of: path) == "new")
      #expect(try permissions(of: path) == 0o600)
      try PrivateFile.write("page".utf8, to: path, permissions: 0o644, draft: ".1")
      #expect(text(of: path) == "page")
      #expect(try permissions(of: path) == 0o644)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["token"])

      // Where it cannot take that place, the draft does not stay.
      let occupied = folder.path + "/folder"
      try FileManager.default.createDirectory(atPath: occupied + "/full", withIntermediateDirectories: true)
      #expect(throws: HostError.self) { try PrivateFile.write("new".utf8, to: occupied) }
      #expect(try Set(FileManager.default.contentsOfDirectory(atPath: folder.path)) == ["token", "folder"])
    }
  }

  @Test("Changes places with its spare: nothing is made or removed, and it is whole whatever its length was")
  func exchange() async throws {
    try await withTemporaryFolder { folder async throws in
      let (path, spare) = (folder.path + "/record", folder.path + "/spare")
      func number(of path: String) throws -> UInt64 {
        try #require(try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? UInt64)
      }
      for text in ["first", "the second, which is longer"] {
        try PrivateFile.exchange(text.utf8, to: path, spare: spare)
      }
      #expect(text(of: path) == "the second, which is longer")
      let files = (try number(of: path), try number(of: spare))
      try PrivateFile.exchange("third".utf8, to: path, spare: spare)
      #expect(text(of: path) == "third" && text(of: spare) == "the second, which is longer")
      #expect(try (number(of: spare), number(of: path)) == files)
      #expect(try permissions(of: path) == 0o600)
      #expect(try Set(FileManager.default.contentsOfDirectory(atPath: folder.path)) == ["record", "spare"])
      // As a process leaves it that is killed while it writes.
      try "half of something that is much longer".write(toFile: spare, atomically: false, encoding: .utf8)
      chmod(spare, 0o644)
      try PrivateFile.exchange("fourth".utf8, to: path, spare: spare)
      #expect(text(of: path) == "fourth")
      #expect(try permissions(of: path) == 0o600)

      let gone = folder.path + "/gone"
      #expect(throws: HostError.self) {
        try PrivateFile.exchange("x".utf8, to: gone + "/record", spare: gone + "/spare")
      }
      let elsewhere = folder.path + "/elsewhere"
      try "theirs".write(toFile: elsewhere, atomically: false, encoding: .utf8)
      unlink(spare)
      try FileManager.default.createSymbolicLink(atPath: spare, withDestinationPath: elsewhere)
      try PrivateFile.exchange("fifth".utf8, to: path, spare: spare)
      #expect(text(of: elsewhere) == "theirs" && text(of: path) == "fifth")
      unlink(spare)
      try FileManager.default.linkItem(atPath: elsewhere, toPath: spare)
      try PrivateFile.exchange("sixth".utf8, to: path, spare: spare)
      #expect(text(of: elsewhere) == "theirs" && text(of: path) == "sixth")
    }
  }
}
