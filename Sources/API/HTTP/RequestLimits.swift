/// How much of the service one client, or one request, may take.
package struct RequestLimits: Sendable, Equatable {
  /// For each account, all its tokens together; 0 for as many as it likes.
  package var requestsPerMinute = 1200
  /// For each address that sends tokens that are not valid; 0 for as many as it likes.
  package var loginFailuresPerMinute = 30
  /// How many streams of events an account may have open at once; 0 for as many as it likes.
  package var eventStreamsPerAccount = 16
  /// How large the body of a request may be.
  package var bodyBytes = 1 << 20
  /// How deep lists and objects of a body may be nested.
  package var jsonDepth = 16
  /// What is read by recursion costs a stack: twice as deep still fits 512 KiB, the smallest one that a thread has.
  package static let jsonDepths = 4...128
  /// How many elements a list of a body may have.
  package var listElements = 50
  /// How many rules a firewall may have.
  package var firewallRules = 100
  /// How many networks all of them may name together: each of them costs the host's packet filter time.
  package var firewallNetworks = 1000
  /// How many elements of a list are on a page at most, and where the client does not say.
  package var pageSize = 100

  package init() {}

  package init(requestsPerMinute: Int, loginFailuresPerMinute: Int) {
    self.requestsPerMinute = requestsPerMinute
    self.loginFailuresPerMinute = loginFailuresPerMinute
  }
}
