/// The content of an OpenAPI document, arranged for readers.
struct DocumentedAPI {
  struct Group {
    let title: String
    let anchor: String
    let operations: [DocumentedOperation]
  }

  let title: String
  let summary: String
  /// What applies to all operations, in Markdown.
  let guide: String
  let basePath: String
  /// The operations, grouped by the first segment of their path; those for operators by the first two.
  let groups: [Group]

  init(_ document: DocumentNode, _ words: PageWords = .english) {
    let info = document["info"]
    title = info?["title"]?.string ?? ""
    summary = info?["summary"]?.string ?? ""
    guide = info?["description"]?.string ?? ""
    basePath = document["servers"]?.elements.first?["url"]?.string ?? ""
    let schemas = DocumentedSchemas(document, words)
    var names: [String] = []
    var operations: [String: [DocumentedOperation]] = [:]
    for path in document["paths"]?.members ?? [] {
      let name = Self.subject(of: path.name)
      if operations[name] == nil { names.append(name) }
      operations[name, default: []] += path.value.members.map {
        DocumentedOperation(method: $0.name, path: path.name, $0.value, schemas)
      }
    }
    groups = names.map { name in
      Group(
        title: words.groups[name] ?? Self.title(of: name), anchor: name.replacing("/", with: "-") + "-operations",
        operations: operations[name] ?? [])
    }
  }

  private static func subject(of path: String) -> String {
    let words = path.split(separator: "/")
    return words.prefix(words.first == "operator" ? 2 : 1).joined(separator: "/")
  }

  /// `ssh-keys` becomes "SSH keys".
  private static func title(of word: String) -> String {
    let words = word.split(separator: "-").map { $0 == "ssh" ? "SSH" : String($0) }.joined(separator: " ")
    return words.prefix(1).uppercased() + words.dropFirst()
  }
}

/// One method of one path.
struct DocumentedOperation {
  struct Parameter {
    let place: String
    let field: DocumentedField
    let example: DocumentNode
  }

  struct Reply {
    let status: String
    let text: String
    let mediaType: String?
    let headers: [(name: String, text: String)]
    let fields: [DocumentedField]
    let example: DocumentNode?

    var isSuccess: Bool { status.hasPrefix("2") }
  }

  let anchor: String
  let method: String
  let path: String
  let summary: String
  let text: String
  /// Nil if any valid token will do.
  let permission: String?
  let needsToken: Bool
  let parameters: [Parameter]
  let fields: [DocumentedField]
  let body: DocumentNode?
  let replies: [Reply]

  init(method: String, path: String, _ node: DocumentNode, _ schemas: DocumentedSchemas) {
    self.method = method.uppercased()
    self.path = path
    anchor = node["operationId"]?.string ?? method + path
    summary = node["summary"]?.string ?? ""
    text = node["description"]?.string ?? ""
    permission = node["x-permission"]?.string
    needsToken = node["security"]?.elements.isEmpty != true
    parameters = (node["parameters"]?.elements ?? []).map { Self.parameter(schemas.resolved($0), schemas) }
    let content = Self.content(of: node["requestBody"])
    let schema = content?.value["schema"]
    fields = schema.map { schemas.fields(of: $0) } ?? []
    // A body without fields is left out.
    body = fields.isEmpty ? nil : content?.value["example"] ?? schema.map { schemas.example(of: $0) }
    replies = (node["responses"]?.members ?? []).map { Self.reply($0.name, schemas.resolved($0.value), schemas) }
  }

  /// The replies that are not errors.
  var successes: [Reply] { replies.filter(\.isSuccess) }
  var errors: [Reply] { replies.filter { !$0.isSuccess } }
  var isStream: Bool { successes.contains { $0.mediaType == "text/event-stream" } }

  /// The path with an example in place of each parameter.
  var examplePath: String {
    parameters.filter { $0.place == "path" }.reduce(path) { path, parameter in
      path.replacing("{\(parameter.field.name)}", with: parameter.example.plainText)
    }
  }

  private static func parameter(_ node: DocumentNode, _ schemas: DocumentedSchemas) -> Parameter {
    let schema = node["schema"] ?? .object([])
    let isRequired = node["required"]?.isTrue ?? false
    return Parameter(
      place: node["in"]?.string ?? "",
      field: schemas.field(
        node["name"]?.string ?? "", schema, isRequired: isRequired, text: node["description"]?.string),
      example: node["example"] ?? schemas.example(of: schema))
  }

  private static func reply(_ status: String, _ node: DocumentNode, _ schemas: DocumentedSchemas) -> Reply {
    let content = content(of: node)
    let schema = content?.value["schema"]
    let headers = (node["headers"]?.members ?? []).map { header in
      (name: header.name, text: schemas.resolved(header.value)["description"]?.string ?? "")
    }
    let isJSON = content?.name == "application/json"
    return Reply(
      status: status, text: node["description"]?.string ?? "", mediaType: content?.name, headers: headers,
      fields: schema.map { schemas.fields(of: $0) } ?? [],
      example: content?.value["example"] ?? (isJSON ? schema.map { schemas.example(of: $0) } : nil))
  }

  private static func content(of node: DocumentNode?) -> DocumentNode.Member? {
    node?["content"]?.members.first
  }
}
