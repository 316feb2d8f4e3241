import Core
import Foundation
import HostPrograms

/// The operator's program that switches a host off: it gets the host's name as its last argument, and says by the exit status 0 that the
/// host is off and stays so.
struct FenceCommand: HostFence {
  private static let threads = BlockingThreads(name: "fences", width: 8)

  let words: [String]
  var deadline = Duration.seconds(120)

  func fence(_ host: String) async throws {
    var program = HostProgram(words[0], Array(words.dropFirst()) + [host], outputLimitBytes: 2048)
    // What it leaves behind would switch a host off that has come back meanwhile.
    program.isKilledWhole = true
    let stop = StopSignal()
    let ending: HostProgram.Ending
    do {
      ending = try await withTaskCancellationHandler {
        try await Self.threads.run("the fence command", within: deadline + .seconds(10)) { [program, deadline] in
          try program.end(within: deadline, stop: stop)
        }
      } onCancel: {
        stop.set()
      }
    } catch let error as DriverError {
      throw FenceFailure(error.detail)
    }
    if ending.exitStatus == 0 { return }
    let how = ending.exitStatus.map { "exit status \($0)" } ?? "signal \(ending.signal ?? 0)"
    let said = ending.output.prefix(200).split(whereSeparator: \.isWhitespace).joined(separator: " ").escaped()
    throw FenceFailure("\(words[0]) failed, \(how)" + (said.isEmpty ? "" : ": \(said)"))
  }
}

extension Configuration {
  /// What switches the hosts of a location off, and when; nil where their servers wait for them.
  func fencing(at location: String?) -> (command: FenceCommand, patience: Duration)? {
    guard let location, let settings = locations[location], settings.sharesStorage == true,
      !settings.fenceCommand.isEmpty
    else { return nil }
    return (
      FenceCommand(words: settings.fenceCommand),
      .seconds(settings.fenceAfterSeconds ?? LocationSettings.standardFenceAfterSeconds)
    )
  }

  /// Throws where a program that has to be there once a host is lost is not there now.
  func requireFencePrograms() throws {
    for (code, settings) in locations.sorted(by: { $0.key < $1.key }) {
      guard let program = settings.fenceCommand.first else { continue }
      var isDirectory: ObjCBool = false
      guard access(program, X_OK) == 0, FileManager.default.fileExists(atPath: program, isDirectory: &isDirectory),
        !isDirectory.boolValue
      else {
        throw ConfigurationError(
          "\(ConfigurationFile.locationsKey).\(code).fence_command", "\(program) is no program that can be started")
      }
    }
  }
}
