import Core
import Foundation
import HostPrograms
import PrivateFiles

/// One end of a pair of sockets whose other end is a port of a machine. What the guest sends is bounded. Blocks, but never
/// beyond the deadline.
final class IdentityChannel: Sendable {
  private let descriptor: Int32

  private static let longestLine = 300

  /// - Parameter hand: Gives the other end to QEMU; it is closed here afterwards.
  init(_ hand: (Int32) throws -> Void) throws {
    var ends: [Int32] = [-1, -1]
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw HostError.last("make a pair of sockets") }
    descriptor = ends[0]
    defer { close(ends[1]) }
    try hand(ends[1])
  }

  deinit { close(descriptor) }

  func send(_ bytes: [UInt8], until deadline: ContinuousClock.Instant) throws {
    var rest = ArraySlice(bytes)
    while !rest.isEmpty {
      try wait(for: POLLOUT, until: deadline)
      let count = rest.withUnsafeBytes {
        Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
      }
      if count < 0, errno == EINTR || errno == EAGAIN { continue }
      guard count > 0 else { throw HostError.last("write to a machine from a template") }
      rest = rest.dropFirst(count)
    }
  }

  /// The next line that the guest sends.
  ///
  /// - Parameter look: Called once a second meanwhile; throws if there is no use in waiting.
  func line(until deadline: ContinuousClock.Instant, whileWaiting look: () throws -> Void) throws -> String {
    var line: [UInt8] = []
    while line.count < Self.longestLine {
      try wait(for: POLLIN, until: deadline, look)
      var byte: UInt8 = 0
      let count = recv(descriptor, &byte, 1, Int32(MSG_DONTWAIT))
      if count < 0, errno == EINTR || errno == EAGAIN { continue }
      guard count > 0 else { throw DriverError(.unreachable, "the machine is gone that a template was loaded into") }
      if byte == UInt8(ascii: "\n") { break }
      line.append(byte)
    }
    return GuestAgent.printable(String(decoding: line, as: UTF8.self))
  }

  private func wait(
    for events: Int32, until deadline: ContinuousClock.Instant, _ look: () throws -> Void = {}
  ) throws {
    var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
    while let remaining = deadline.remainingMilliseconds {
      if poll(&entry, 1, min(remaining, 1000)) > 0 { return }
      try look()
    }
    throw DriverError(.unreachable, "the guest of a template does not answer")
  }
}
