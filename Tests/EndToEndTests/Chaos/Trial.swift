import APIClient
import Foundation

/// Something of a service that nobody owns any more.
struct Leak: Error, CustomStringConvertible {
  let description: String
}

/// What came of breaking things: a row for each kind of fault.
final class Damage {
  private struct Row {
    let fault: String
    var tries = 0
    var wrong = 0
    var leaks = 0
    var slowest: Duration?
  }

  private var rows: [Row] = []
  private(set) var errors: [String] = []

  /// Tries one fault. The body returns how long it took until everything was as it should be.
  func attempt(_ fault: String, _ body: () async throws -> Duration) async {
    if !rows.contains(where: { $0.fault == fault }) { rows.append(Row(fault: fault)) }
    guard let index = rows.firstIndex(where: { $0.fault == fault }) else { return }
    rows[index].tries += 1
    do {
      let recovery = try await body()
      rows[index].slowest = max(rows[index].slowest ?? .zero, recovery)
      print("chaos: \(fault): as it should be after \(Self.seconds(recovery)) s")
    } catch let leak as Leak {
      rows[index].leaks += 1
      note("\(fault): LEAK: \(leak)")
    } catch {
      rows[index].wrong += 1
      note("\(fault): WRONG: \(error)")
    }
  }

  /// A service that could not be set up, or ended, at all.
  func note(_ error: String) {
    errors.append(error)
    print("chaos: \(error)")
  }

  /// Markdown.
  var table: String {
    let lines = rows.map { row in
      "| \(row.fault) | \(row.tries) | \(row.wrong) | \(row.leaks) | \(row.slowest.map(Self.seconds) ?? "-") s |"
    }
    return (["| fault | tries | wrong outcomes | leaks | worst recovery |", "|---|--:|--:|--:|--:|"] + lines)
      .joined(separator: "\n")
  }

  private static func seconds(_ duration: Duration) -> String {
    let tenths = duration.components.seconds * 10 + duration.components.attoseconds / 100_000_000_000_000_000
    return "\(tenths / 10).\(tenths % 10)"
  }
}

// MARK: - Looking from outside

extension Service {
  /// The service's own view, and then what the host says: folders, processes and mounts against the list of servers.
  func expectNothingWithoutOwner() async throws {
    let check = try checked()
    guard check.status == 0 else { throw Leak(description: check.output) }
    let client = try client()
    let owners = Set(try await client.servers().map(\.uuid))
    let folders = (try? FileManager.default.contentsOfDirectory(atPath: data + "/servers")) ?? []
    let strangers = folders.filter { UUID(uuidString: $0) != nil && !owners.contains($0) }
    guard strangers.isEmpty else { throw Leak(description: "folders without a server: \(strangers)") }
    let emulators = processes(containing: directory.path + "/data/servers/")
    guard emulators.count <= owners.count else { throw Leak(description: "\(emulators.count) machines run: \(owners)") }
    let named = processes(containing: directory.path + "/data/libvirt/pid")
    // What one of them has forked bears its words until it is another program, such as a QEMU that is being started.
    let daemons = named.filter { process in parent(of: process).map { !named.contains($0) } ?? false }
    guard daemons.count <= 1 else { throw Leak(description: "several libvirtds: \(daemons)") }
    let mounts = try String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)
    guard !mounts.contains(directory.path) else { throw Leak(description: "mounts are left: \(mounts)") }
  }

  /// Nothing is left of a server that was deleted.
  func expectNoTrace(of server: APIClient.Server) async throws {
    do {
      _ = try await eventually("the end of every trace", withinSeconds: 180) {
        let isListed = try operate(["server", "list", "--json"]).contains(server.uuid)
        let hasFiles = FileManager.default.fileExists(atPath: data + "/servers/\(server.uuid)")
        return isListed || hasFiles || !processes(containing: server.uuid).isEmpty ? nil : true
      }
    } catch is NotInTime {
      throw Leak(description: "traces are left of \(server.uuid)")
    }
    try await expectNothingWithoutOwner()
  }

  /// Nil where the process has ended.
  private func parent(of process: pid_t) -> pid_t? {
    let status = FileManager.default.contents(atPath: "/proc/\(process)/stat") ?? Data()
    // Its name may have spaces and brackets in it.
    let words = String(decoding: status, as: UTF8.self).split(separator: ")").last?.split(separator: " ") ?? []
    return words.count > 1 ? pid_t(words[1]) : nil
  }

  var libvirtd: pid_t? {
    let text = try? String(contentsOfFile: data + "/libvirt/pid", encoding: .utf8)
    return text.flatMap { pid_t($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
  }

  func killLibvirtd() throws {
    guard let libvirtd else { throw Command.Failed(description: "There is no libvirtd to be killed.") }
    Foundation.kill(libvirtd, SIGKILL)
  }

  func machine(of server: APIClient.Server) -> pid_t? {
    processes(containing: "/servers/\(server.uuid)/").first
  }

  func folderExists(of server: APIClient.Server) -> Bool {
    FileManager.default.fileExists(atPath: data + "/servers/\(server.uuid)")
  }
}

/// Waits in small steps for a moment that is soon over.
func moment(_ what: String, withinSeconds limit: Int = 300, _ isThere: () -> Bool) async throws {
  let deadline = ContinuousClock.now + .seconds(limit)
  while !isThere() {
    guard ContinuousClock.now < deadline else { throw NotInTime(description: "\(what): not within \(limit) s") }
    try await Task.sleep(for: .milliseconds(3))
  }
}

/// How long a body takes.
func time(_ body: () async throws -> Void) async throws -> Duration {
  let began = ContinuousClock.now
  try await body()
  return ContinuousClock.now - began
}
