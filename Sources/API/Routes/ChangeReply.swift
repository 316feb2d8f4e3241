import Core
import Engine
import Hummingbird
import NIOCore

extension APIRequest {
  /// The reply to what takes a while: at once, or when what was asked for is over, if the client would rather wait.
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
