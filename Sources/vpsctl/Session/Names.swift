import APIClient
import ArgumentParser
import FoundationEssentials

extension CompletionKind {
  /// The names of all present objects of a kind.
  static func names(of kind: Kind) -> CompletionKind {
    // The result becomes part of a shell's command line, so names that a shell would interpret are left out.
    .custom { words, _, _ in
      await answers(to: words) { try await $0.client.list(kind.path).map(kind.name) }.filter(isPlain)
    }
  }

  /// Asks the service of the context that was typed. Waits two seconds at most, and returns nothing after an error.
  static func answers(
    to words: [String], _ ask: @escaping @Sendable (Session) async throws -> [String]
  ) async -> [String] {
    let context = words.firstIndex(of: "--context").flatMap { words.indices.contains($0 + 1) ? words[$0 + 1] : nil }
    guard let session = try? Session(context: context) else { return [] }
    return await withTaskGroup(of: [String].self) { group in
      group.addTask { (try? await ask(session)) ?? [] }
      group.addTask {
        try? await Task.sleep(for: .seconds(2))
        return []
      }
      defer { group.cancelAll() }
      return await group.next() ?? []
    }
  }

  private static func isPlain(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.count <= 64
      && name.utf8.allSatisfy {
        (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || [45, 46, 95].contains($0)
      }
  }
}

/// The argument that names a server.
struct ServerName: ParsableArguments {
  @Argument(help: "The server: its id, uuid or name.", completion: .names(of: .server))
  var server: String
}

extension Session {
  /// Asks the user to type the name of what will be lost, unless that was confirmed by an option.
  static func confirm(_ sentence: String, by name: String, isConfirmed: Bool) throws {
    guard !isConfirmed else { return }
    guard Terminal.isInput else { throw Refusal(.usage, "\(sentence) Nobody is there to confirm it: say --yes.") }
    let answer = Terminal.ask("\(sentence.escapedForTerminal) Type \(name.escapedForTerminal) to confirm: ")
    guard answer?.trimmed == name else {
      throw Refusal(.refused, "That is not what was to be typed: nothing is changed.")
    }
  }
}
