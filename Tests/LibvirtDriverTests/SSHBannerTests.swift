import Core
import Foundation
import Testing

@testable import LibvirtDriver

@Suite("The SSH banner")
struct SSHBannerTests {
  private let address = PrivateHost.unusedAddress()

  @Test("A server that greets is ready", arguments: [["SSH-2.0-OpenSSH_9.2\r\n"], ["SS", "H-2.0-x\r\n"]])
  func greeting(pieces: [String]) throws {
    let listener = try Listener(address: address)
    defer { listener.close() }
    listener.serve(pieces)
    #expect(SSHBanner.isSent(by: address, port: listener.port, within: .seconds(10)))
  }

  @Test("One that accepts and says nothing is not, and is not waited for beyond the limit")
  func silence() throws {
    let listener = try Listener(address: address)
    defer { listener.close() }
    let begin = ContinuousClock.now
    #expect(!SSHBanner.isSent(by: address, port: listener.port, within: .milliseconds(50)))
    #expect(ContinuousClock.now - begin < .seconds(5))
  }

  @Test("One that greets only those who come later is ready: the first connection was forgotten while the guest booted")
  func laterConnection() throws {
    let listener = try Listener(address: address)
    defer { listener.close() }
    listener.serve(["SSH-2.0-x\r\n"], afterSilent: 1)
    #expect(SSHBanner.isSent(by: address, port: listener.port, within: .seconds(10)))
  }

  @Test("One that is slow to greet is not asked so often that it turns others away")
  func fewConnections() throws {
    let listener = try Listener(address: address)
    defer { listener.close() }
    #expect(!SSHBanner.isSent(by: address, port: listener.port, within: .seconds(4)))
    #expect((2...4).contains(listener.waitingCount()))
  }

  @Test("One that speaks otherwise or hangs up is not", arguments: [["HTTP/1.1 200 OK\r\n"], ["SS"], []])
  func otherwise(pieces: [String]) throws {
    let listener = try Listener(address: address)
    defer { listener.close() }
    listener.serve(pieces)
    #expect(!SSHBanner.isSent(by: address, port: listener.port, within: .seconds(1)))
  }

  @Test("A port where nobody listens is not")
  func nobody() throws {
    let listener = try Listener(address: address)
    listener.close()
    #expect(!SSHBanner.isSent(by: address, port: listener.port, within: .seconds(1)))
  }
}
