import APIClient
import ArgumentParser

/// User data and labels of a server, as given on the command line.
enum ServerExtras {
  static let maximumUserDataBytes = 64 << 10

  /// The content of the file; `-` means standard input.
  static func userData(_ path: String) throws -> String {
    let text =
      path == "-" ? try Terminal.standardInput(atMost: maximumUserDataBytes, "--user-data") : try SecretFile.read(path)
    guard let text else { throw Refusal(.notFound, "--user-data (user_data): there is no file \(path).") }
    guard text.utf8.count <= maximumUserDataBytes else {
      throw Refusal(.refused, "--user-data (user_data): \(path) has more than \(maximumUserDataBytes) bytes.")
    }
    return text
  }

  /// Parses `env=prod`. If a key occurs repeatedly, the last one counts.
  static func labels(_ texts: [String]) throws -> JSON {
    var labels: JSON = [:]
    for text in texts {
      guard let sign = text.firstIndex(of: "="), sign > text.startIndex else {
        throw Refusal(.usage, "--label (labels): \(text) is no label: write KEY=VALUE.")
      }
      labels[String(text[..<sign])] = .string(String(text[text.index(after: sign)...]))
    }
    return labels
  }
}
