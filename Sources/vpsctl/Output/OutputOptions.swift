import APIClient
import ArgumentParser

enum OutputForm: String, ExpressibleByArgument, CaseIterable {
  case table, json, yaml, name
}

/// The options that every command has.
struct OutputOptions: ParsableArguments {
  @Option(
    name: .customLong("context"), help: "The context to use, for this once.",
    completion: .custom { _, _, _ in ContextStore.names() })
  var context: String?
  @Option(name: .shortAndLong, help: "In which form to tell: table, json, yaml, or name.")
  var output: OutputForm = .table
  @Option(
    help: ArgumentHelp("The columns of the table, by heading or field, as in id,name,plan.name.", valueName: "columns"))
  var columns: String?
  @Flag(name: .customLong("no-headers"), help: "Print the table without its headings.")
  var noHeaders = false

  var session: Session { get throws { try Session(context: context) } }

  func list(_ objects: [JSON], _ kind: Kind) throws {
    switch output {
    case .json: Terminal.print(JSON.array(objects).prettyText)
    case .yaml: Terminal.write(JSON.array(objects).yaml)
    case .name:
      for object in objects { Terminal.print(kind.name(of: object).escapedForTerminal) }
    case .table:
      let columns = try chosen(kind.columns, of: objects) ?? kind.columns
      var table = TextTable(columns: columns)
      for object in objects { table.rows.append(columns.map { $0.text(of: object) }) }
      Terminal.write(table.text(hasHeadings: !noHeaders))
    }
  }

  /// Shows one object with all its fields.
  func show(_ object: JSON, _ kind: Kind) throws {
    switch output {
    case .json: Terminal.print(object.prettyText)
    case .yaml: Terminal.write(object.yaml)
    case .name: Terminal.print(kind.name(of: object).escapedForTerminal)
    case .table:
      if let columns = try chosen(kind.columns, of: [object]) {
        var table = TextTable(columns: columns)
        table.rows.append(columns.map { $0.text(of: object) })
        return Terminal.write(table.text(hasHeadings: !noHeaders))
      }
      var table = TextTable(columns: [Column("FIELD", ""), Column("VALUE", "", .status)])
      table.rows = Column.all(of: object).map { [$0.heading.escapedForTerminal, $0.text(of: object)] }
      Terminal.write(table.text(hasHeadings: false))
    }
  }

  /// Reports what was done: a sentence for people, the service's object for programs.
  func tell(_ sentence: String, _ object: JSON, _ kind: Kind) {
    switch output {
    case .table: Terminal.print(sentence.escapedForTerminal)
    case .json: Terminal.print(object.prettyText)
    case .yaml: Terminal.write(object.yaml)
    case .name: Terminal.print(kind.name(of: object["server"] ?? object).escapedForTerminal)
    }
  }

  /// Shows a password at once, because the service returns it only once and waiting may fail. If standard output is for the
  /// whole object, the password goes to standard error.
  func tellPassword(of reply: JSON, _ title: String) {
    guard let password = reply["password"]?.string else { return }
    guard output == .table else { return Terminal.tell("\(title) has the password \(password)".escapedForTerminal) }
    Terminal.print("password  \(password.escapedForTerminal)")
    Terminal.flush()
  }

  /// Shows an answer that the service gives only once, where nothing else will be shown.
  func tellOnce(_ reply: JSON, _ title: String) {
    guard isWhole else { return tellPassword(of: reply, title) }
    tell("", reply, .server)
  }

  /// Whether objects are printed with all their fields.
  var isWhole: Bool { [.json, .yaml].contains(output) }

  private func chosen(_ known: [Column], of objects: [JSON]) throws -> [Column]? {
    guard let columns else { return nil }
    return try columns.split(separator: ",").map { text in
      let name = text.lowercased()
      if let column = known.first(where: { $0.heading.lowercased() == name || $0.path == name }) { return column }
      guard objects.isEmpty || objects.contains(where: { $0[path: text] != nil }) else {
        let fields = objects.first.map { Column.all(of: $0).map(\.path) } ?? []
        throw Refusal(.usage, "There is no column \"\(text)\". There are: \(fields.joined(separator: ", ")).")
      }
      return Column(text.uppercased(), String(text))
    }
  }
}
