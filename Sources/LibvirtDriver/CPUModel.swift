import Core
import Foundation
import PrivateFiles

/// The processor that a machine's guest sees. An upgrade of the host or of QEMU would change it, so the model of the machine's
/// first definition is stored by name, with each feature that differs from what that name means.
struct CPUModel: Codable, Equatable {
  let model: String
  /// True for a feature that the guest has, by the feature's name.
  let features: [String: Bool]

  /// The `host-model` in libvirt's domain capabilities: the named model and features closest to the host's processor. Nil where
  /// the capabilities have none.
  init?(capabilities: String) {
    guard let start = capabilities.firstRange(of: "<mode name='host-model' supported='yes'>")?.upperBound,
      let end = capabilities[start...].firstRange(of: "</mode>")?.lowerBound
    else { return nil }
    var model: String?
    var features: [String: Bool] = [:]
    for line in capabilities[start..<end].split(whereSeparator: \.isNewline) {
      if line.contains("<model "), let open = line.firstIndex(of: ">") {
        model = String(line[line.index(after: open)...].prefix { $0 != "<" })
      } else if line.contains("<feature "), let name = Self.attribute("name", of: line) {
        features[name] = Self.attribute("policy", of: line) == "require"
      }
    }
    guard let model else { return nil }
    self.init(model: model, features: features)
  }

  init?(model: String, features: [String: Bool]) {
    guard Self.isName(model), features.keys.allSatisfy(Self.isName) else { return nil }
    self.model = model
    self.features = features
  }

  /// Nil where there is no file. An unreadable file throws: a guess would give a guest another processor.
  static func read(_ path: String) throws -> CPUModel? {
    guard MachineFiles.exists(path) else { return nil }
    guard let data = FileManager.default.contents(atPath: path),
      let decoded = try? JSONDecoder().decode(CPUModel.self, from: data),
      let model = CPUModel(model: decoded.model, features: decoded.features)
    else { throw DriverError(.rejected, "\(path) has no model of a processor in it") }
    return model
  }

  func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    try PrivateFile.write(Array(try encoder.encode(self)), to: path)
  }

  /// On a host that lacks a feature the machine starts without it (`check` is `none`); otherwise it would not start at all.
  var markup: Markup {
    Markup(
      "cpu", ["mode": "custom", "match": "exact", "check": "none"],
      [Markup("model", ["fallback": "forbid"], text: model)]
        + features.sorted { $0.key < $1.key }.map { name, isThere in
          Markup("feature", ["policy": isThere ? "require" : "disable", "name": name])
        })
  }

  private static func attribute(_ name: String, of element: Substring) -> String? {
    guard let start = element.firstRange(of: " \(name)='")?.upperBound else { return nil }
    return String(element[start...].prefix { $0 != "'" })
  }

  private static func isName(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.unicodeScalars.allSatisfy {
        $0.isASCII && ($0.properties.isAlphabetic || "0123456789-_.".unicodeScalars.contains($0))
      }
  }
}
