import Core
import Engine
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization

/// Replies about servers that are given again as long as nothing has changed: see docs/request.md.
///
/// A reply is kept for the token, the target and the other parts of a request that it depends on, and for a *moment*: a
/// mark of the database that every commit changes, and the month, which decides what usage is shown. At another moment
/// nothing of it is given any more, and before each use the hosts are asked whether they still are as the reply says.
///
/// Nobody waits here, because event loops ask: where another one looks at that moment, a request tries again for some
/// microseconds, and then goes to its route.
final class RepliesInMemory: Sendable {
  struct Moment: Equatable {
    let changeMark: Int64
    let month: Int
  }

  /// A request without a body, and what is to be known of it: the same whenever the same client repeats it.
  struct Question {
    let request: Request
    var head: HTTPRequest { request.head }
    let token: TokenHash
    let origin: RequestOrigin
    let publicURL: PublicURL?
    /// The client's own one.
    let requestID: String?
    let isConditional: Bool
    fileprivate let accept: String
  }

  /// What a reply depends on beside the moment. The token is the one that was found by its hash for this request.
  private struct Key: Hashable {
    private static let longestBytes = 512

    private let token: ID<Token>
    private let target: String
    private let accept: String
    private let publicURL: PublicURL?

    /// Nil if it is too long to be kept.
    init?(_ request: Request, accept: String, _ caller: Caller, _ publicURL: PublicURL?) {
      (token, self.publicURL, self.accept) = (caller.tokenID, publicURL, accept)
      target = request.uri.string
      guard target.utf8.count + accept.utf8.count <= Self.longestBytes else { return nil }
    }
  }

  struct Reply {
    let headers: HTTPFields
    let body: ByteBuffer
    /// Of the route.
    let permission: Permission?
    let path: String?
    /// As the request names it, for the log.
    let server: String?
    let shown: [Servers.View]

    /// About what it takes in memory, with its key.
    var bytes: Int {
      let views = shown.reduce(0) { $0 + 2048 + ($1.server.machine.authorizedKey?.utf8.count ?? 0) }
      return 2048 + 2 * body.readableBytes + views
    }
  }

  /// The replies of one account. When they fill their room, only they make way.
  private struct Share {
    static let largestBytes = 1 << 19

    var replies: [Key: Reply] = [:]
    var bytes = 0
  }

  private struct State {
    var moment: Moment?
    /// When the moment was first seen.
    var since = Instant(elapsed: .zero)
    /// Whether the catalogue was forgotten at this moment, so that no reply depends on an earlier one.
    var isSettled = false
    var shares: [ID<Account>: Share] = [:]
  }

  static let maximumAccounts = 64
  /// How long a moment must have lasted before anything is kept for it. Where one commit follows the other, there is nothing to
  /// gain, and the catalogue would be read after each.
  static let settling = Duration.milliseconds(20)

  private static let triesToLook = 100

  private let servers: Servers
  private let gate: Gate
  private let changeMark: @Sendable () -> Int64?
  private let publicURL: PublicURL?
  private let clock: any WallClock
  private let state = Mutex(State())

  /// - Parameter changeMark: A number that is another one after every commit to the database, by whichever process; nil
  ///   if it is not known.
  init(
    servers: Servers, gate: Gate, publicURL: PublicURL?, clock: any WallClock,
    changeMark: @escaping @Sendable () -> Int64?
  ) {
    self.servers = servers
    self.gate = gate
    self.publicURL = publicURL
    self.clock = clock
    self.changeMark = changeMark
  }

  /// How many replies are kept.
  var count: Int { state.withLock { $0.shares.values.reduce(0) { $0 + $1.replies.count } } }

  // MARK: Keeping

  /// The present moment, if replies that are made from now on may be kept for it.
  func settledMoment() -> Moment? {
    let seen = state.withLockIfAvailable { state -> (moment: Moment?, dropped: [ID<Account>: Share]) in
      let dropped = observe(&state)
      guard let moment = state.moment, clock.uptime - state.since >= Self.settling else { return (nil, dropped) }
      if !state.isSettled { servers.forgetCatalogue() }
      state.isSettled = true
      return (moment, dropped)
    }
    return seen?.moment
  }

  /// Keeps the reply to a request that began at this moment or later.
  func keep(_ reply: Reply, to request: Request, of caller: Caller, _ url: PublicURL?, at moment: Moment) {
    let bytes = reply.bytes
    guard bytes <= Share.largestBytes, clock.now.month == moment.month,
      let key = Key(request, accept: Self.accept(in: request), caller, url)
    else { return }
    // What makes way is returned, to be freed without the lock.
    _ = state.withLockIfAvailable { state -> Share? in
      let isKnown = state.shares[caller.accountID] != nil
      guard state.moment == moment, isKnown || state.shares.count < Self.maximumAccounts else { return nil }
      var dropped: Share?
      var share = state.shares.removeValue(forKey: caller.accountID) ?? Share()
      if share.bytes + bytes > Share.largestBytes { (dropped, share) = (share, Share()) }
      if let earlier = share.replies.updateValue(reply, forKey: key) { share.bytes -= earlier.bytes }
      share.bytes += bytes
      state.shares[caller.accountID] = share
      return dropped
    }
  }

  /// Asks the database what moment it is. What was kept for another one is returned, to be freed without the lock.
  private func observe(_ state: inout State) -> [ID<Account>: Share] {
    let moment = changeMark().map { Moment(changeMark: $0, month: clock.now.month) }
    guard moment != state.moment else { return [:] }
    defer { state = State(moment: moment, since: clock.uptime) }
    return state.shares
  }

  // MARK: Giving

  /// Whether a request asks for nothing that only the routes can do.
  static func mayAnswer(_ head: HTTPRequest) -> Bool {
    head.method == .get && head.path?.utf8.starts(with: paths) ?? false
      && head.headerFields[.authorization] != nil && head.headerFields[.ifMatch] == nil
      && head.headerFields[.expect] == nil && head.headerFields[.transferEncoding] == nil
      && head.headerFields[.contentLength] ?? "0" == "0"
  }

  private static let paths = Array((RouteTable.basePath + "/servers").utf8)

  private static func accept(in request: Request) -> String { request.headers[.accept] ?? "" }

  func question(
    _ request: Request, bearing token: TokenHash, from origin: RequestOrigin, id: String?
  ) -> Question {
    Question(
      request: request, token: token, origin: origin, publicURL: publicURL ?? PublicURL(of: request, origin),
      requestID: id, isConditional: request.headers[.ifNoneMatch] != nil, accept: Self.accept(in: request))
  }

  /// The reply that the routes would give, counted against the caller's limit; nil if it is not kept.
  func reply(to question: Question) -> (kept: Reply, caller: Caller, allowance: Allowance?)? {
    guard let caller = gate.knownCaller(bearing: question.token),
      let key = Key(question.request, accept: question.accept, caller, question.publicURL),
      let kept = find(key, of: caller.accountID),
      kept.permission.map({ (try? caller.require($0)) != nil }) ?? true,
      servers.areStill(kept.shown)
    else { return nil }
    let allowance = gate.count(caller)
    // What is refused is not counted, and is to be refused by the route.
    return allowance?.retryAfterSeconds == nil ? (kept, caller, allowance) : nil
  }

  /// The database is asked after the request has come, so that a commit before it is seen.
  private func find(_ key: Key, of account: ID<Account>) -> Reply? {
    // Another event loop looks for a microsecond or two, unless it loses its processor, and the route takes a hundred times that.
    for _ in 1...Self.triesToLook {
      let found = state.withLockIfAvailable { state -> (reply: Reply?, dropped: [ID<Account>: Share]) in
        guard let reply = state.shares[account]?.replies[key] else { return (nil, [:]) }
        let moment = state.moment
        let dropped = observe(&state)
        return (state.moment == moment ? reply : nil, dropped)
      }
      if let found { return found.reply }
    }
    return nil
  }
}
