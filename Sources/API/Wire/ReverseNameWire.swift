import Core
import Engine
import NIOCore

enum ReverseNameWire {
  static func list(_ elements: [ReverseNames.Element]) -> ByteBuffer {
    JSONWriter.object { writer in
      writer.field("count", elements.count)
      writer.field("results", elements) { writer, element in
        writer.object { write(&$0, element) }
      }
    }
  }

  static func element(_ element: ReverseNames.Element) -> ByteBuffer {
    JSONWriter.object { write(&$0, element) }
  }

  private static func write(_ writer: inout JSONWriter, _ element: ReverseNames.Element) {
    writer.field("ip_address", element.address.description)
    writer.field("ptr", element.name?.name)
  }
}
