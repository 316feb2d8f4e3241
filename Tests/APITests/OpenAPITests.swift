import API
import Core
import Engine
import Foundation
import HTTPTypes
import SimulatedDriver
import TestSupport
import Testing

/// The document and the service say the same: every route, every status, every field that one has, the other has.
@Suite("The OpenAPI document")
struct OpenAPITests {
  @Test("It has every route of the service, and no other")
  func routes() async throws {
    let api = try await TestAPI.make()
    let served = Set(api.api.paths.map { "\($0.method) \($0.path)" })
    #expect(Set(try APIDescription().operations.map(\.name)) == served)
  }

  @Test("The service shows it to whoever asks")
  func served() async throws {
    let api = try await TestAPI.make()
    let reply = try await api.send(.get, "/openapi.json", token: "")
    #expect(reply.status == 200)
    #expect(reply.headers[.contentType] == "application/json")
    #expect(reply.text == #"{"openapi":"3.1.0","info":{},"paths":{}}"#)
  }

  @Test("Every field of a documented body is read by the service")
  func bodies() async throws {
    let document = try APIDescription()
    let api = try await TestAPI.powerful(try await TestService()).api
    _ = try await api.createServer()
    _ = try await api.send(.post, "/operator/accounts/", #"{"email": "ada@example.com"}"#)
    for operation in document.operations {
      guard let name = operation.bodySchema else { continue }
      let properties = try document.schema(named: name)["properties"] as? [String: Any] ?? [:]
      let method = try #require(HTTPRequest.Method(operation.method))
      let path = operation.path.replacingOccurrences(of: "{id}", with: OpenAPIDrive.id(in: operation.path))
      for field in properties.keys {
        // An object is no right value of any field, so a field that is read is complained about.
        let reply = try await api.send(method, path, #"{"\#(field)": {"a": 1}}"#)
        #expect(reply.status == 400)
        #expect(try reply.json[field] != nil, "\(operation.name): \(field)")
      }
      let all = try await api.send(method, path, #"{"plan": {}, "os_version": {}}"#)
      // An action has no fields; its state is what is wrong.
      if all.status == 400, try all.json["detail"] == nil {
        #expect(Set(try all.json.keys).isSubset(of: properties.keys), "\(operation.name)")
      }
    }
  }

  @Test("Every status and field that the service answers with is documented, and every documented one is answered")
  func replies() async throws {
    let document = try APIDescription()
    let drive = OpenAPIDrive(document)
    try await drive.failures()
    try await drive.throttling()
    try await drive.successes()
    try await drive.shortages()
    try await drive.moves()
    try await drive.operators()
    try await drive.operatorsShortages()
    for operation in document.operations {
      #expect(drive.statuses[operation.name] ?? [] == operation.statuses, "\(operation.name)")
    }
    #expect(drive.wrong.isEmpty)
    #expect(try document.fieldsOfReplies().subtracting(drive.fields).isEmpty)
  }
}
