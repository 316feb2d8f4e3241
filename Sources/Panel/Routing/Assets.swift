import API
import CBuild
import Engine
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// The stylesheet and the script. Each has its hash in its name, so that browsers can cache it forever.
struct Assets: Sendable {
  private struct File: Sendable {
    let path: String
    let mediaType: String
    let content: ByteBuffer

    init(_ name: String, _ ending: String, _ mediaType: String, _ bytes: [UInt8]) {
      path = "/assets/\(name)-\(SHA256.hexadecimal(bytes).prefix(16)).\(ending)"
      self.mediaType = mediaType
      content = ByteBuffer(bytes: bytes)
    }
  }

  private let style = File("panel", "css", "text/css; charset=utf-8", BuiltInFile.panelStyle.content)
  private let script = File("panel", "js", "text/javascript; charset=utf-8", BuiltInFile.panelScript.content)

  var stylePath: String { style.path }
  var scriptPath: String { script.path }

  func register(on router: Router<APIContext>) {
    for file in [style, script] {
      router.get(RouterPath(file.path)) { _, _ in
        Response(
          status: .ok,
          headers: [
            .contentType: file.mediaType, .cacheControl: "public, max-age=31536000, immutable",
            .xContentTypeOptions: "nosniff",
          ], body: ResponseBody(byteBuffer: file.content))
      }
    }
  }
}
