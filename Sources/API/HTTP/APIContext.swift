import Foundation
package import Hummingbird
import NIOCore

package struct APIContext: RequestContext {
  package var coreContext: CoreRequestContextStorage
  /// Names this request in replies and logs: the caller's own name for it, where that is a sane one.
  package var requestID = ""
  package let allowance = AllowanceNote()
  /// Empty where the client has none.
  package let remoteAddress: String

  package init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
    remoteAddress = source.channel.remoteAddress?.ipAddress ?? ""
  }
}
