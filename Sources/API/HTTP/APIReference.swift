import Core
import Documentation
import Synchronization

/// The description of the API, for programs and for people.
struct APIReference: Sendable {
  let document: StaticDocument
  /// Always has a page in English.
  let pages: [Language: StaticDocument]

  init(_ document: DocumentNode, _ translations: [Language: DocumentNode]) {
    self.document = StaticDocument(document.json.buffer, mediaType: "application/json")
    pages = translations.merging([.english: document]) { $1 }.reduce(into: [:]) { pages, translated in
      pages[translated.key] = .page(of: translated.value, in: translated.key)
    }
  }
}

/// The reference is made when somebody asks for it, once: most services are never asked, and it takes more time than their start
/// and a fifth of their memory.
final class APIReferenceOnDemand: Sendable {
  private let make: @Sendable () throws -> APIReference
  private let making = Mutex<Task<APIReference, any Error>?>(nil)

  init(_ make: @escaping @Sendable () throws -> APIReference) {
    self.make = make
  }

  var value: APIReference {
    get async throws {
      let task = making.withLock { making in
        // Detached, because it must not end with the request that happens to be the first.
        let task = making ?? Task.detached { [make] in try make() }
        making = task
        return task
      }
      return try await task.value
    }
  }
}
