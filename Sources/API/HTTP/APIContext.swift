import Foundation
package import Hummingbird
import NIOCore

package struct APIContext: RequestContext {
  package var coreContext: CoreRequestContextStorage
  /// The id of this request in replies and logs: the caller's own one if it is well-formed.
  package var requestID = ""
  package let allowance = RateLimitHeaders()
  package let subject = RequestSubject()
  let shown = ShownServers()
  /// The IP address that opened the connection: the client's, or a proxy's. Empty if there is none.
  let peer: String
  /// Has only the peer's address until the headers are read.
  package var origin: RequestOrigin
  private let channel: any Channel

  package init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    channel = source.channel
    peer = source.channel.remoteAddress?.ipAddress ?? ""
    origin = RequestOrigin(address: peer)
  }

  /// Whether the connection is closed, so that nobody would read the reply.
  package var isGone: Bool { !peer.isEmpty && !channel.isActive }

  /// Sends 100 Continue to a client that waits for it.
  func askForBody() {
    channel.triggerUserOutboundEvent(BodyIsWanted(), promise: nil)
  }
}
