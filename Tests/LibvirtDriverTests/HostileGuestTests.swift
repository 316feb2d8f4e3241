import Core
import Foundation
import Testing

@testable import LibvirtDriver

@Suite("A guest that answers what it likes")
struct HostileGuestTests {
  private typealias Interfaces = [GuestAgent.Interface]
  private typealias FileSystems = [GuestAgent.FileSystem]

  @Test("An honest answer is understood")
  func honest() throws {
    let interfaces: Interfaces = try GuestAgent.decode(
      #"{"return":[{"name":"lo"},{"name":"eth0","statistics":{"rx-bytes":12,"tx-bytes":34,"rx-errs":0}}]}"#, to: "x")
    #expect(GuestAgent.networkCounters(in: interfaces) == NetworkCounters(receivedBytes: 12, sentBytes: 34))
    let fileSystems: FileSystems = try GuestAgent.decode(#"{"return":[{"mountpoint":"/","used-bytes":5}]}"#, to: "x")
    #expect(GuestAgent.rootFileSystemUsedBytes(in: fileSystems) == 5)
  }

  @Test(
    "Counters that cannot be are as good as none",
    arguments: ["18446744073709551615", "9223372036854775807", "1152921504606846977"])
  func counters(number: String) throws {
    let interfaces: Interfaces = try GuestAgent.decode(
      #"{"return":[{"name":"eth0","statistics":{"rx-bytes":\#(number),"tx-bytes":1}}]}"#, to: "x")
    #expect(GuestAgent.networkCounters(in: interfaces) == nil)
    let fileSystems: FileSystems = try GuestAgent.decode(
      #"{"return":[{"mountpoint":"/","used-bytes":\#(number)}]}"#, to: "x")
    #expect(GuestAgent.rootFileSystemUsedBytes(in: fileSystems) == nil)
  }

  @Test(
    "Whatever else it is, it is an error of that guest alone",
    arguments: [
      "", "{}", "null", "[]", #"{"return":{}}"#, #"{"return":[{"name":7}]}"#,
      #"{"return":[{"name":"eth0","statistics":[]}]}"#,
      #"{"return":[{"name":"eth0","statistics":{"rx-bytes":-1,"tx-bytes":1}}]}"#,
      #"{"return":[{"name":"eth0","statistics":{"rx-bytes":1e400,"tx-bytes":1}}]}"#,
      String(repeating: "[", count: 100_000), #"{"return":"# + String(repeating: #"[{"name":"#, count: 50_000),
      #"{"return":[{"name":""# + String(repeating: "x", count: 2 << 20) + #""}]}"#,
    ])
  func nonsense(answer: String) {
    #expect {
      let _: Interfaces = try GuestAgent.decode(answer, to: "guest-network-get-interfaces")
    } throws: { error in
      (error as? DriverError)?.kind == .unreachable
    }
  }

  @Test("Names that take quadratic time to compare cost no more than others, written as they are or as escapes")
  func expensive() throws {
    let marks = String(repeating: "\u{345}\u{334}", count: 100_000)
    let escapes = String(repeating: #"\u0345\u0334"#, count: 40_000)
    let took = try ContinuousClock().measure {
      for text in [marks, escapes] {
        let interfaces: Interfaces = try GuestAgent.decode(
          #"{"return":[{"name":"eth0\#(text)","a\#(text)":1},{"name":"eth0","statistics":{"rx-bytes":1,"tx-bytes":2}}]}"#,
          to: "x")
        #expect(GuestAgent.networkCounters(in: interfaces) == NetworkCounters(receivedBytes: 1, sentBytes: 2))
      }
    }
    #expect(took < .seconds(60))
  }

  @Test("An escape that breaks off, or one of a backslash, is what it was")
  func escapes() {
    for (text, plain) in [
      (#"a\\u0041"#, #"a\\u0041"#), (#"\u00"#, "?"), (#"\"#, ""), (#"\"\n"#, #"\"\n"#), ("é", "??"),
    ] {
      #expect(String(decoding: GuestAgent.plain(text), as: UTF8.self) == plain)
    }
  }

  @Test("What it says reaches the operator's log without control characters, and short")
  func log() {
    let answer = "\u{1B}]0;owned\u{07}\u{1B}[2J\r\nfake: line \u{202E}" + String(repeating: "y", count: 10_000)
    #expect {
      let _: Interfaces = try GuestAgent.decode(answer, to: "guest-info")
    } throws: { error in
      guard let detail = (error as? DriverError)?.detail else { return false }
      return detail.count < 300 && detail.unicodeScalars.allSatisfy { (0x20...0x7E).contains($0.value) }
    }
  }

  @Test("Answers that are damaged anywhere never end the process", arguments: 1...8)
  func damaged(seed: UInt64) {
    let whole = Array(#"{"return":[{"name":"eth0","statistics":{"rx-bytes":12,"tx-bytes":34}}]}"#.utf8)
    var state = seed &* 0x9E37_79B9_7F4A_7C15
    func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    for _ in 0..<300 {
      var bytes = whole
      for _ in 0...next(6) { bytes[next(bytes.count)] = UInt8(next(256)) }
      let interfaces = try? GuestAgent.decode(String(decoding: bytes, as: UTF8.self), to: "x") as Interfaces
      if let counters = interfaces.flatMap(GuestAgent.networkCounters) {
        #expect(counters.receivedBytes >= 0 && counters.sentBytes >= 0)
      }
    }
  }
}
