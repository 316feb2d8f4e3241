import Core
import Engine
import Hummingbird
import NIOCore

extension APIRequest {
  /// The reply to a request that queues an operation: at once, or after the operation's end if the client prefers to
  /// wait.
  func reply(_ requested: RequestedOperation, _ servers: Servers, password: String? = nil) async -> Response {
    let wait = Preference.wait(of: request)
    var newest = requested
    if let wait {
      newest = (try? await servers.finished(requested, within: .seconds(wait), caller)) ?? requested
    }
    var writer = JSONWriter()
    ServerWire.changeReply(&writer, newest, password: password)
    var response = Response.json(writer.buffer)
    Preference.note(wait, in: &response)
    return response
  }
}
