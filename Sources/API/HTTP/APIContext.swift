import Foundation
package import Hummingbird
import NIOCore

package struct APIContext: RequestContext {
  package var coreContext: CoreRequestContextStorage
  /// Names this request in replies and logs: the caller's own name for it, where that is a sane one.
  package var requestID = ""
  package let allowance = RateLimitHeaders()
  package let subject = RequestSubject()
  /// Who has opened the connection: the client, or a proxy. Empty where it has no address.
  let peer: String
  /// As the peer is, until the headers are read.
  package var origin: RequestOrigin
  private let channel: any Channel

  package init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    channel = source.channel
    peer = source.channel.remoteAddress?.ipAddress ?? ""
    origin = RequestOrigin(address: peer)
  }

  /// Whether nobody is there any more to read the reply.
  package var isGone: Bool { !peer.isEmpty && !channel.isActive }

  /// Tells a client that waits for it that its body is read.
  func askForBody() {
    channel.triggerUserOutboundEvent(BodyIsWanted(), promise: nil)
  }
}
