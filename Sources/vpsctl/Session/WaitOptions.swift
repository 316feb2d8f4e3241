import APIClient
import ArgumentParser

struct WaitOptions: ParsableArguments {
  @Flag(
    inversion: .prefixedNo, exclusivity: .chooseLast,
    help: "Wait until it is done, as is the default on a terminal. --wait=ssh: until a login is answered.")
  var wait: Bool?
  @Flag(name: .customLong("wait-ssh"), help: .hidden)
  var waitSSH = false
  @Option(help: ArgumentHelp("How long to wait at most: 90, 90s, 10m or 1h.", valueName: "duration"))
  var timeout = "10m"

  /// Translates `--wait=ssh`, because the parser knows no flags with values.
  static func plain(_ argument: String) -> String {
    switch argument {
    case "--wait=ssh": "--wait-ssh"
    case "--wait=active", "--wait=done": "--wait"
    default: argument
    }
  }

  func validate() throws {
    guard Self.seconds(timeout) != nil else {
      throw ValidationError("--timeout: \"\(timeout)\" is no time such as 90, 90s, 10m or 1h.")
    }
  }

  private static func seconds(_ text: String) -> Int? {
    let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600]
    let unit = text.last.flatMap { units[$0] }
    guard let number = Int(unit == nil ? text[...] : text.dropLast()), number >= 0, number <= 86_400 else { return nil }
    return number * (unit ?? 1)
  }

  var isWaiting: Bool { waitSSH || (wait ?? Terminal.isErrors) }
  var limit: Duration { .seconds(Self.seconds(timeout) ?? 600) }
  /// How many seconds the service may delay its answer.
  var preferredSeconds: Int? { isWaiting ? max(0, min(120, Self.seconds(timeout) ?? 120)) : nil }
}
