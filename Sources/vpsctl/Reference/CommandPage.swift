import APIClient

/// The help of a command.
struct CommandPage {
  struct Argument {
    let title: String
    let text: String
  }

  let path: [String]
  let abstract: String
  let discussion: String
  let usage: String
  let arguments: [Argument]
  let subcommands: [String]

  var name: String { path.joined(separator: " ") }
  /// Whether it has a man page of its own: the program itself, and commands with subcommands.
  var isManual: Bool { path.count == 1 || !subcommands.isEmpty }

  static func all(of command: JSON, path: [String]) -> [CommandPage] {
    guard command["shouldDisplay"]?.bool != false, let name = command["commandName"]?.string, name != "help" else {
      return []
    }
    let path = path + [name]
    let inner = (command["subcommands"]?.array ?? []).flatMap { all(of: $0, path: path) }
    return [CommandPage(command, path: path, inner: inner)] + inner
  }

  private init(_ command: JSON, path: [String], inner: [CommandPage]) {
    self.path = path
    abstract = command["abstract"]?.string ?? ""
    discussion = command["discussion"]?.string ?? ""
    let shown = (command["arguments"]?.array ?? []).filter { $0["shouldDisplay"]?.bool != false }
    let own = shown.filter { !["help", "version"].contains($0["valueName"]?.string ?? "") }
    arguments = own.map { Argument(title: Self.title($0), text: Self.text($0)) }
    subcommands = inner.filter { $0.path.count == path.count + 1 }.map { $0.path.last ?? "" }
    let needed = own.filter {
      $0["kind"]?.string == "positional" || $0["isOptional"]?.bool == false && $0["kind"]?.string == "option"
    }
    let parts = needed.map { argument in
      let title =
        argument["kind"]?.string == "positional" ? "<\(argument["valueName"]?.string ?? "")>" : Self.title(argument)
      let repeated = argument["isRepeating"]?.bool == true ? "\(title) ..." : title
      return argument["isOptional"]?.bool == true ? "[\(repeated)]" : repeated
    }
    usage = (path + (subcommands.isEmpty ? parts + ["[options]"] : ["<subcommand>"])).joined(separator: " ")
  }

  private static func title(_ argument: JSON) -> String {
    let value = argument["valueName"]?.string ?? ""
    guard argument["kind"]?.string != "positional" else { return "<\(value)>" }
    let names = (argument["names"]?.array ?? []).map { name in
      (name["kind"]?.string == "long" ? "--" : "-") + (name["name"]?.string ?? "")
    }.sorted { $0.count < $1.count }
    return names.joined(separator: ", ") + (argument["kind"]?.string == "option" ? " <\(value)>" : "")
  }

  private static func text(_ argument: JSON) -> String {
    let text = argument["abstract"]?.string ?? ""
    guard let value = argument["defaultValue"]?.string, argument["kind"]?.string == "option", !value.isEmpty else {
      return text
    }
    return "\(text) (default: \(value))"
  }
}
