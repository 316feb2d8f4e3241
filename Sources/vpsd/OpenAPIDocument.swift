import Foundation
import NIOCore
import Yams

/// docs/openapi.yaml, which is built in, as the JSON that the service shows.
enum OpenAPIDocument {
  static var json: ByteBuffer {
    get throws {
      let text = String(decoding: PackageResources.openapi_yaml, as: UTF8.self)
      let document = try Yams.load(yaml: text) ?? [:]
      return ByteBuffer(
        bytes: try JSONSerialization.data(withJSONObject: document, options: [.sortedKeys, .withoutEscapingSlashes]))
    }
  }
}
