import NIOCore

enum ListWire {
  /// `{count, results}`
  static func list<Element>(_ elements: [Element], _ write: (inout JSONWriter, Element) -> Void) -> ByteBuffer {
    JSONWriter.object { writer in
      writer.field("count", elements.count)
      writer.field("results", elements, write)
    }
  }
}
