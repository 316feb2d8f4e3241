import Core
import Foundation

/// What a simulated host keeps that outlives the process.
struct SimulatedFolders: Sendable {
  let machines: RecordFolder<SimulatedMachine>
  let copies: RecordFolder<SimulatedCopy>

  /// - Parameter makes: Whether they are made where there are none.
  init(in folder: URL, installation: UUID, makes: Bool) throws(DriverError) {
    machines = try RecordFolder(folder.appendingPathComponent("machines"), installation: installation, makes: makes)
    copies = try RecordFolder(folder.appendingPathComponent("copies"), installation: installation, makes: makes)
  }
}

/// Where these folders are. A service that is alone has them in `simulated`. Where several share the host, they are in a folder that
/// is named after the term of whoever has it, and whoever has it next gives it another name: so what the one before it writes
/// afterwards finds no folder, wherever that one was in the middle of it.
struct SimulatedHome: Sendable {
  private static let name = "simulated"

  let dataDirectory: URL

  func folder(ofTerm term: Int64) -> URL {
    dataDirectory.appendingPathComponent(term == 0 ? Self.name : "\(Self.name)-\(term)", isDirectory: true)
  }

  /// The term of whoever had the host last; 0 for a service that was alone, nil where nobody had it.
  func newestTerm() throws(DriverError) -> Int64? {
    guard FileManager.default.fileExists(atPath: dataDirectory.path) else { return nil }
    do {
      let names = try FileManager.default.contentsOfDirectory(atPath: dataDirectory.path)
      return names.compactMap(Self.term).max()
    } catch {
      throw DriverError(.rejected, "Cannot list the folder \(dataDirectory.path): \(error)")
    }
  }

  func move(from former: Int64, to term: Int64) throws(DriverError) {
    guard rename(folder(ofTerm: former).path, folder(ofTerm: term).path) == 0 else {
      let reason = String(cString: strerror(errno))
      throw DriverError(.unreachable, "The machines of term \(former) cannot be taken over: \(reason)")
    }
  }

  private static func term(_ name: String) -> Int64? {
    if name == Self.name { return 0 }
    let parts = name.split(separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0] == Self.name else { return nil }
    return Int64(parts[1]).flatMap { $0 > 0 ? $0 : nil }
  }
}
