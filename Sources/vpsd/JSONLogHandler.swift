import API
import Core
import Foundation
import Logging
import NIOCore

/// A log for programs: one object on each line. Known IDs have fields of their own (`request`, `account`, `server`,
/// `operation`). All fields are texts.
struct JSONLogHandler: LogHandler {
  /// The maximum length of a field, in Unicode scalars.
  private static let longestText = 4000
  private static let ownFields: Set<String> = ["time", "level", "message"]

  var logLevel = Logger.Level.info
  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var fields = metadata.merging(metadataProvider?.get() ?? [:]) { $1 }.merging(event.metadata ?? [:]) { $1 }
    if let error = event.error, fields["error"] == nil { fields["error"] = "\(String(reflecting: error))" }
    LogLines.write(line: Self.line(event.level, event.message.description, fields, at: SystemClock().now))
  }

  static func line(_ level: Logger.Level, _ message: String, _ fields: Logger.Metadata, at now: Timestamp) -> String {
    let object = JSONWriter.object { writer in
      writer.field("time", time(now))
      writer.field("level", level.rawValue)
      writer.field("message", cut(message))
      for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
        let name = cut(ownFields.contains(name) ? "\(name)_" : name)
        writer.field(named: name) { $0.value(cut(value.description)) }
      }
    }
    return String(buffer: object) + "\n"
  }

  private static func time(_ now: Timestamp) -> String {
    let milliseconds = String(1000 + now.millisecondsSinceEpoch % 1000).dropFirst()
    return "\(now.wireFormat.dropLast()).\(milliseconds)Z"
  }

  private static func cut(_ text: String) -> String {
    let kept = text.unicodeScalars.prefix(longestText)
    return kept.endIndex == text.unicodeScalars.endIndex ? text : String(kept) + "…"
  }
}
