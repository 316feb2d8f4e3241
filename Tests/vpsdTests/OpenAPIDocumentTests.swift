import API
import Foundation
import NIOCore
import Testing

@testable import vpsd

@Suite("The OpenAPI document that is built in")
struct OpenAPIDocumentTests {
  @Test("It is the one of the documentation, as JSON")
  func json() throws {
    let bytes = Data(try OpenAPIDocument.root.json.buffer.readableBytesView)
    let document = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
    #expect(document["openapi"] as? String == "3.1.0")
    let paths = try #require(document["paths"] as? [String: Any])
    #expect(paths["/servers/{id}/"] != nil)
  }
}
