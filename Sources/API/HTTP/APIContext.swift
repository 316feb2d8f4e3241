import Foundation
package import Hummingbird

package struct APIContext: RequestContext {
  package var coreContext: CoreRequestContextStorage
  /// Names this request in replies and logs: the caller's own name for it, where that is a sane one.
  package var requestID = ""

  package init(source: ApplicationRequestContextSource) {
    coreContext = .init(source: source)
  }
}
