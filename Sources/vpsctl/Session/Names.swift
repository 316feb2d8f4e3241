import APIClient
import ArgumentParser
import FoundationEssentials

extension CompletionKind {
  /// The names that things of this kind have now.
  static func names(of kind: Kind) -> CompletionKind {
    // What the service says stands in a line of a shell next: names that a shell would read as more than a name are left out.
    .custom { words, _, _ in
      await answers(to: words) { try await $0.client.list(kind.path).map(kind.name) }.filter(isPlain)
    }
  }

  /// What the service of the context that was typed answers. Whoever presses a key waits no longer than a moment, and is shown no
  /// errors.
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

/// A server, as a command is told of it.
struct ServerName: ParsableArguments {
  @Argument(help: "The server: its id, uuid or name.", completion: .names(of: .server))
  var server: String
}

extension Session {
  /// What was typed has to be the name of what will be gone, unless it was said beforehand that it may.
  static func confirm(_ sentence: String, by name: String, isConfirmed: Bool) throws {
    guard !isConfirmed else { return }
    guard Terminal.isInput else { throw Refusal(.usage, "\(sentence) Nobody is there to confirm it: say --yes.") }
    let answer = Terminal.ask("\(sentence.escapedForTerminal) Type \(name.escapedForTerminal) to confirm: ")
    guard answer?.trimmed == name else {
      throw Refusal(.refused, "That is not what was to be typed: nothing is changed.")
    }
  }
}
