import Core
import Foundation
import HostPrograms

/// Whether an SSH server sends its greeting. An accepted connection proves nothing: QEMU accepts for a guest that does not
/// listen yet, and retries the guest less and less often. So new connections are opened beside those that wait, and the first
/// greeting decides. Once the guest has refused a connection, the next one that is accepted has reached its sshd: from then
/// on there is one at a time, and it is kept. Each makes sshd start a process, which takes seconds under software emulation,
/// and another connection would only begin that anew.
struct SSHBanner: Sendable {
  /// The most connections that wait at once. With ten that have not logged in, an sshd begins to refuse others, such as the
  /// customer's, who connects as soon as the server is active. A refused connection is closed at once: the guest boots, but
  /// does not listen yet.
  private static let mostAttempts = 4
  /// After the first refusal; each further one makes it longer by a half.
  private static let firstPause: Duration = .milliseconds(100)
  private static let longestPause: Duration = .milliseconds(250)
  private static let greeting = Array("SSH-".utf8)

  private struct Attempt: Sendable {
    let descriptor: Int32
    var received: [UInt8] = []
  }

  private enum Answer {
    case greeted, refused, silent
  }

  private var attempts: [Attempt] = []
  private var hasRefused: Bool

  init() { hasRefused = false }

  /// Connects to an sshd that is known to listen, as after a refusal: there is one connection, however long a busy guest takes.
  init(listeningAt address: IPv4Address, port: UInt16) {
    hasRefused = true
    attempts = Self.connection(to: address, port: port).map { [Attempt(descriptor: $0)] } ?? []
  }

  /// Whether a connection waits that should be kept for the next call.
  var hasReachedGuest: Bool { hasRefused && !attempts.isEmpty }

  mutating func close() {
    for attempt in attempts { Foundation.close(attempt.descriptor) }
    attempts = []
  }

  /// Blocks: only for `BlockingThreads`.
  mutating func isSent(by address: IPv4Address, port: UInt16, within limit: Duration) -> Bool {
    let (deadline, interval) = (ContinuousClock.now + limit, limit / Self.mostAttempts)
    var pause = hasRefused ? Self.firstPause : interval
    while deadline.remainingMilliseconds != nil {
      var isRefusedAtOnce = false
      if !hasReachedGuest {
        let descriptor = Self.connection(to: address, port: port)
        if let descriptor { attempts.append(Attempt(descriptor: descriptor)) } else { isRefusedAtOnce = true }
      }
      let answer = awaitGreeting(until: min(deadline, .now + pause))
      if answer == .greeted { return true }
      guard isRefusedAtOnce || answer == .refused else { continue }
      // Those that wait since before the guest's network was up are retried later than a new one is made.
      close()
      pause = hasRefused ? min(Self.longestPause, pause * 3 / 2) : Self.firstPause
      hasRefused = true
    }
    return false
  }

  private mutating func awaitGreeting(until next: ContinuousClock.Instant) -> Answer {
    var (answer, next) = (Answer.silent, next)
    while let remaining = next.remainingMilliseconds {
      for index in readable(withinMilliseconds: remaining).reversed() {
        switch Self.receive(&attempts[index]) {
        case true?: return .greeted
        case false?:
          if attempts[index].received.isEmpty {
            answer = .refused
            // The guest's network is up: its sshd is likely next.
            if !hasRefused { next = min(next, .now + Self.firstPause) }
          }
          Foundation.close(attempts.remove(at: index).descriptor)
        case nil: continue
        }
      }
    }
    return answer
  }

  /// Nil where the connection is refused at once.
  private static func connection(to address: IPv4Address, port: UInt16) -> Int32? {
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
    let descriptor = socket(AF_INET, type, 0)
    guard descriptor >= 0 else { return nil }
    let result = ForwardedPorts.withSocketAddress(address, port: port) { connect(descriptor, $0, $1) }
    guard result == 0 || errno == EINPROGRESS else {
      Foundation.close(descriptor)
      return nil
    }
    return descriptor
  }

  private func readable(withinMilliseconds limit: Int32) -> [Int] {
    var descriptors = attempts.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
    guard poll(&descriptors, nfds_t(descriptors.count), limit) > 0 else { return [] }
    return descriptors.indices.filter { descriptors[$0].revents != 0 }
  }

  /// True once the greeting has arrived, false where it never will on this connection, nil while more bytes are needed.
  private static func receive(_ attempt: inout Attempt) -> Bool? {
    var buffer = [UInt8](repeating: 0, count: 64)
    let count = recv(attempt.descriptor, &buffer, buffer.count, 0)
    if count < 0, errno == EAGAIN || errno == EINTR { return nil }
    guard count > 0 else { return false }
    attempt.received += buffer.prefix(count)
    guard greeting.starts(with: attempt.received.prefix(greeting.count)) else { return false }
    return attempt.received.count >= greeting.count ? true : nil
  }
}
