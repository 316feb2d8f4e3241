import APIClient
import ArgumentParser
import FoundationEssentials
import Glibc

struct API: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "api", abstract: "Send any request of the API, and print the answer.",
    discussion: """
      A POST has an idempotency key and is sent again when its connection is lost, as everywhere.

        vpsctl api GET '/servers/?status=active'
        vpsctl api POST /servers/1/start/
        vpsctl api PATCH /servers/1/ --data '{"name": "web"}'
      """)

  @Argument(help: "GET, POST, PUT, PATCH or DELETE.") var method: String
  @Argument(help: "The path below /api/v1.") var path: String
  @Option(name: .shortAndLong, help: "The body, or - for standard input.") var data: String?
  @Option(name: .customLong("idempotency-key"), help: "The key of a POST, in place of a new one.") var idempotencyKey:
    String?
  @OptionGroup var options: OutputOptions

  func validate() throws {
    guard ["GET", "POST", "PUT", "PATCH", "DELETE"].contains(method.uppercased()) else {
      throw ValidationError("The method is GET, POST, PUT, PATCH or DELETE.")
    }
    guard path.hasPrefix("/"), path.utf8.allSatisfy({ (33...126).contains($0) }) else {
      throw ValidationError("The path begins with a slash, and is ASCII.")
    }
  }

  func run() async throws {
    var body: JSON?
    if let data {
      let text = data == "-" ? try Terminal.standardInput(atMost: 16 << 20, "--data") : data
      do {
        body = try JSON(parsing: text.utf8)
      } catch {
        throw Refusal(.usage, "--data: \(error.description)")
      }
    }
    let reply = try await options.session.client.request(
      method.uppercased(), path.hasPrefix("/api/v1/") ? String(path.dropFirst("/api/v1".count)) : path, body: body,
      idempotencyKey: idempotencyKey)
    guard !reply.body.isEmpty else { return }
    let json = try reply.json()
    switch options.output {
    case .yaml: Terminal.write(json.yaml)
    case .name:
      for object in json["results"]?.array ?? [json] { Terminal.print(Kind.server.name(of: object).escapedForTerminal) }
    case .table, .json: Terminal.print(json.prettyText)
    }
  }
}
