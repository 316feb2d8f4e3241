import Core
import NIOCore

enum ListWire {
  /// `{count, results}`, and where the list spans pages `{count, next, previous, results}`.
  static func list<Element: Sendable>(
    _ page: Page<Element>, links: PageLinks?, _ write: (inout JSONWriter, Element) -> Void
  ) -> ByteBuffer {
    JSONWriter.object { writer in
      writer.field("count", page.totalCount)
      if let links {
        writer.field("next", links.next)
        writer.field("previous", links.previous)
      }
      writer.field("results", page.elements, write)
    }
  }
}
