import NIOCore
import NIOPosix
import Synchronization

/// The ways to one cluster: any member answers for all of it. The one that answered last is asked, until it fails; then the next.
package final class IncusEndpoints: Sendable {
  private let all: [IncusEndpoint]
  private let preferred = Mutex(0)

  /// - Parameter all: At least one.
  package init(_ all: [IncusEndpoint]) {
    precondition(!all.isEmpty)
    self.all = all
  }

  /// The same ways, asked as somebody else.
  func presenting(_ identity: ClientIdentity) throws -> IncusEndpoints {
    IncusEndpoints(try all.map { try $0.presenting(identity) })
  }

  /// Each of them alone.
  var each: [IncusEndpoints] { all.map { IncusEndpoints([$0]) } }

  var anyLoop: any EventLoop { MultiThreadedEventLoopGroup.singleton.next() }

  struct Attempt: Sendable {
    let number: Int
    let endpoint: IncusEndpoint
  }

  /// Each once, from the preferred one on.
  var attempts: [Attempt] {
    let first = preferred.withLock { $0 }
    return all.indices.map { offset in
      let number = (first + offset) % all.count
      return Attempt(number: number, endpoint: all[number])
    }
  }

  /// Of two callers who meet the same failure, only one turns to the next.
  func noteFailure(of attempt: Attempt) {
    preferred.withLock { preferred in
      if preferred == attempt.number { preferred = (preferred + 1) % all.count }
    }
  }

  /// How long a connection may take to come about: where there are others, nobody waits long for a member that is away.
  var connectDeadline: Duration { all.count == 1 ? .seconds(5) : .seconds(3) }

  /// Connects to the first that can be reached, which is asked from then on. Whatever `setUp` adds has sent nothing on a connection that
  /// failed, so that a change can be asked for again on the next.
  ///
  /// - Parameter setUp: For each attempt.
  func connect(
    on loop: any EventLoop, within limit: Duration, _ setUp: @escaping @Sendable (any Channel) throws -> Void
  ) -> EventLoopFuture<(channel: any Channel, attempt: Attempt)> {
    connect(to: attempts[...], on: loop, until: .now() + TimeAmount(limit), setUp)
  }

  private func connect(
    to attempts: ArraySlice<Attempt>, on loop: any EventLoop, until deadline: NIODeadline,
    _ setUp: @escaping @Sendable (any Channel) throws -> Void
  ) -> EventLoopFuture<(channel: any Channel, attempt: Attempt)> {
    let attempt = attempts[attempts.startIndex]
    let limit = max(.milliseconds(1), min(TimeAmount(connectDeadline), deadline - .now()))
    return attempt.endpoint.connect(on: loop, within: limit, setUp)
      .map { (channel: $0, attempt: attempt) }
      .flatMapError { error in
        self.noteFailure(of: attempt)
        let rest = attempts.dropFirst()
        guard !rest.isEmpty, deadline > .now() else { return loop.makeFailedFuture(error) }
        return self.connect(to: rest, on: loop, until: deadline, setUp).flatMapErrorThrowing { last in
          // That one is there and is not ours says more than that another one is not there.
          throw error as? IncusError == .wrongCertificate ? error : last
        }
      }
  }
}
