package import Documentation

extension DocumentNode {
  package var json: JSONWriter {
    var writer = JSONWriter()
    write(to: &writer)
    return writer
  }

  private func write(to writer: inout JSONWriter) {
    switch self {
    case .null: writer.null()
    case .flag(let flag): writer.value(flag)
    case .number(let digits): writer.value(number: digits)
    case .text(let text): writer.value(text)
    case .list(let elements): writer.array(elements) { $1.write(to: &$0) }
    case .object(let members):
      writer.object { writer in
        for member in members { writer.field(named: member.name) { member.value.write(to: &$0) } }
      }
    }
  }
}
