/// How much of the service one client, or one request, may use.
package struct RequestLimits: Sendable, Equatable {
  /// For each account, all its tokens together, but operators' tokens separately; 0 for no limit.
  package var requestsPerMinute = 1200
  /// For each client address that sends invalid tokens; 0 for no limit.
  package var loginFailuresPerMinute = 30
  /// How many event streams an account may have open at once; 0 for no limit.
  package var eventStreamsPerAccount = 16
  /// How large the body of a request may be.
  package var bodyBytes = 1 << 20
  /// How deep lists and objects of a body may be nested.
  package var jsonDepth = 16
  /// The depths that can be configured. Reading by recursion uses the stack: twice the deepest still fits into 512 KiB,
  /// the smallest stack that a thread has.
  package static let jsonDepths = 4...128
  /// How many elements a list of a body may have.
  package var listElements = 50
  /// How many rules a firewall may have.
  package var firewallRules = 100
  /// How many networks all rules of a firewall may name together: each one costs the host's packet filter time.
  package var firewallNetworks = 1000
  /// How many elements of a list are on a page at most, and by default.
  package var pageSize = 100

  package init() {}

  package init(requestsPerMinute: Int, loginFailuresPerMinute: Int) {
    self.requestsPerMinute = requestsPerMinute
    self.loginFailuresPerMinute = loginFailuresPerMinute
  }
}
