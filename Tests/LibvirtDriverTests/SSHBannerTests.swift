import Core
import Foundation
import Testing

@testable import LibvirtDriver

@Suite("The SSH banner")
struct SSHBannerTests {
  private let address = PrivateHost.unusedAddress()

  private func isSent(by address: IPv4Address, port: UInt16, within limit: Duration) -> Bool {
    var banner = SSHBanner()
    defer { banner.close() }
    return banner.isSent(by: address, port: port, within: limit)
  }

  @Test("A server that greets is ready", arguments: [["SSH-2.0-OpenSSH_9.2\r\n"], ["SS", "H-2.0-x\r\n"]])
  func greeting(pieces: [String]) throws {
    let listener = try Listener(address: address)
    defer { listener.close() }
    listener.serve(pieces)
    #expect(isSent(by: address, port: listener.port, within: .seconds(60)))
  }

  @Test("One that accepts and says nothing is not, and is not waited for beyond the limit")
  func silence() throws {
    let listener = try Listener(address: address)
    defer { listener.close() }
    let begin = ContinuousClock.now
    #expect(!isSent(by: address, port: listener.port, within: .milliseconds(50)))
    #expect(ContinuousClock.now - begin < .seconds(60))
  }

  @Test("One that greets only those who come later is ready: the first connection was forgotten while the guest booted")
  func laterConnection() throws {
    let listener = try Listener(address: address)
    defer { listener.close() }
    listener.serve(["SSH-2.0-x\r\n"], afterSilent: 1)
    #expect(isSent(by: address, port: listener.port, within: .seconds(60)))
  }

  @Test("One that is slow to greet is not asked so often that it turns others away")
  func fewConnections() throws {
    let listener = try Listener(address: address)
    defer { listener.close() }
    #expect(!isSent(by: address, port: listener.port, within: .seconds(4)))
    #expect((2...4).contains(listener.waitingCount()))
  }

  @Test("One that refuses at first and is then slow to greet has one connection, which is kept from check to check")
  func patience() throws {
    let listener = try Listener(address: address)
    defer { listener.close() }
    listener.serve([])
    let (banners, machine) = (SSHBanners(), UUID())
    func isSent(runID: Int) -> Bool {
      banners.isSent(of: machine, runID: runID, by: address, port: listener.port, within: .seconds(2))
    }
    for _ in 1...3 { #expect(!isSent(runID: 1)) }
    #expect(listener.waitingCount() == 1)
    // What the listener has closed meanwhile is a refusal, and after the next boot everything begins anew.
    #expect(!isSent(runID: 1))
    #expect(listener.waitingCount() == 1)
    #expect(!isSent(runID: 2))
    #expect((2...4).contains(listener.waitingCount()))
    listener.serve(["SSH-2.0-x\r\n"])
    #expect(isSent(runID: 3))
  }

  @Test("One that is known to listen has one connection from the first, however long it takes")
  func knownToListen() throws {
    let listener = try Listener(address: address)
    defer { listener.close() }
    var banner = SSHBanner(listeningAt: address, port: listener.port)
    defer { banner.close() }
    let isSent = banner.isSent(by: address, port: listener.port, within: .milliseconds(1200))
    #expect(!isSent)
    #expect(listener.waitingCount() == 1)
  }

  @Test("The greeting may come long after the connection")
  func lateGreeting() throws {
    let listener = try Listener(address: address)
    defer { listener.close() }
    listener.serve([])
    let banners = SSHBanners()
    let machine = UUID()
    #expect(!banners.isSent(of: machine, runID: 1, by: address, port: listener.port, within: .milliseconds(400)))
    // It goes to the connection that waits.
    listener.serve(["SSH-2.0-x\r\n"])
    #expect(banners.isSent(of: machine, runID: 1, by: address, port: listener.port, within: .seconds(60)))
    #expect(listener.waitingCount() == 0)
  }

  @Test("One that speaks otherwise or hangs up is not", arguments: [["HTTP/1.1 200 OK\r\n"], ["SS"], []])
  func otherwise(pieces: [String]) throws {
    let listener = try Listener(address: address)
    defer { listener.close() }
    listener.serve(pieces)
    #expect(!isSent(by: address, port: listener.port, within: .seconds(1)))
  }

  @Test("A port where nobody listens is not")
  func nobody() throws {
    let listener = try Listener(address: address)
    listener.close()
    #expect(!isSent(by: address, port: listener.port, within: .seconds(1)))
  }
}
