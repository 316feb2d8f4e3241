import CZlib
import Core
import Engine
import HTTPTypes
import NIOCore
import TestSupport
import Testing

@testable import Panel

@Suite("Pages are compressed for browsers that take it")
struct CompressionTests {
  @Test("A page is the same for a browser that takes gzip, in a fraction of the bytes")
  func pages() async throws {
    let panel = try await TestPanel.make()
    _ = try await panel.service.activeServer()
    let browser = try await panel.signedIn()
    for path in ["/servers", "/servers/1", "/docs"] {
      let plain = try await browser.get(path)
      #expect(plain.headers[.contentEncoding] == nil && plain.headers[.vary]?.contains("Accept-Encoding") == true)
      for taken in ["gzip", "gzip, deflate, br", "br;q=1.0, GZIP;q=0.5", "identity,gzip ; q=0.1"] {
        let packed = try await browser.get(path, [.acceptEncoding: taken])
        #expect(packed.headers[.contentEncoding] == "gzip" && packed.status == plain.status, "\(path) \(taken)")
        #expect(packed.bytes.count * 2 < plain.bytes.count, "\(path)")
        let text = try Self.unpacked(packed.bytes)
        #expect(text.count == plain.bytes.count && String(decoding: text, as: UTF8.self).contains("</html>"), "\(path)")
      }
      for untaken in [
        "", "identity", "br", "gzip;q=0", "gzip;q=0.000", "xgzip", String(repeating: "gzip,", count: 300),
      ] {
        let reply = try await browser.get(path, [.acceptEncoding: untaken])
        #expect(reply.headers[.contentEncoding] == nil && reply.bytes.count == plain.bytes.count, "\(path) \(untaken)")
      }
    }
  }

  @Test("What shows that a form is ours is another text on each page, and each of them counts")
  func proofs() async throws {
    let panel = try await TestPanel.make()
    let browser = try await panel.signedIn()
    var proofs: Set<String> = []
    for _ in 0..<3 {
      let page = try await browser.get("/ssh-keys")
      let fields = page.hiddenFields(of: "/ssh-keys")
      proofs.insert(try #require(fields.first { $0.0 == "proof" }?.1))
      #expect(try await browser.submit("/ssh-keys", on: page, ["name": "a", "public_key": "b"]).status == 400)
    }
    #expect(proofs.count == 3)
    let proof = try #require(proofs.first)
    let swapped = String(proof.utf8.reversed().map { Character(UnicodeScalar($0)) })
    for wrong in [swapped, String(proof.dropLast()), proof + "A", String(repeating: "A", count: 88), "", "===="] {
      #expect(
        try await browser.post("/ssh-keys", [("proof", wrong), ("name", "a"), ("public_key", "b")]).status == 403)
    }
  }

  struct Damaged: Error {}

  private static func unpacked(_ bytes: [UInt8]) throws -> [UInt8] {
    var stream = z_stream()
    var (input, output) = (bytes, [UInt8](repeating: 0, count: 1 << 20))
    guard inflateInit2_(&stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { throw Damaged() }
    defer { inflateEnd(&stream) }
    let room = UInt32(output.count)
    return try input.withUnsafeMutableBufferPointer { input in
      try output.withUnsafeMutableBufferPointer { output in
        (stream.next_in, stream.avail_in) = (input.baseAddress, UInt32(input.count))
        (stream.next_out, stream.avail_out) = (output.baseAddress, room)
        guard inflate(&stream, Z_FINISH) == Z_STREAM_END else { throw Damaged() }
        return Array(output.prefix(Int(stream.total_out)))
      }
    }
  }
}
