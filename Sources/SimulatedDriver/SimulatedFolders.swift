import Core
import Foundation

/// The records of a simulated host, which outlive the process.
struct SimulatedFolders: Sendable {
  let machines: RecordFolder<SimulatedMachine>
  let copies: RecordFolder<SimulatedCopy>
  /// Nil where the host's disks are its own.
  let disks: SharedDisks?

  /// - Parameters:
  ///   - isShared: Whether several services have the host in turn.
  ///   - makes: Whether to create the folders where they are missing.
  ///   - storage: Where disks and copies are that other hosts reach; nil where they are in the folder.
  init(
    in folder: URL, installation: UUID, isShared: Bool, makes: Bool, storage: SharedStorage? = nil
  ) throws(DriverError) {
    disks = try storage?.disks(of: installation)
    machines = try RecordFolder(
      folder.appendingPathComponent("machines"), installation: installation, isShared: isShared, makes: makes)
    if let storage {
      copies = try storage.copies(of: installation)
    } else {
      copies = try RecordFolder(
        folder.appendingPathComponent("copies"), installation: installation, isShared: isShared, makes: makes)
    }
  }
}

extension SimulatedFolders {
  func load() throws(DriverError) -> SimulatedRecords {
    var records = SimulatedRecords(machines: try machines.load(), copies: try copies.load())
    guard let disks else { return records }
    // Those of other hosts' machines are none of this host's.
    let owners = try disks.records.load().mapValues(\.owner)
    records.copies = records.copies.filter { owners[$0.value.machine] == disks.host }
    return records
  }
}

struct SimulatedRecords: Sendable {
  let machines: [UUID: SimulatedMachine]
  var copies: [UUID: SimulatedCopy]
}

/// Where these folders are: in `simulated`, for a service that is alone. Where several share the host, the folder is named
/// after the term of the service that has it, and the next one renames it. So whatever the former one still writes finds no
/// folder, even if it was in the middle of a change.
struct SimulatedHome: Sendable {
  private static let name = "simulated"

  let dataDirectory: URL

  func folder(ofTerm term: Int64) -> URL {
    dataDirectory.appendingPathComponent(term == 0 ? Self.name : "\(Self.name)-\(term)", isDirectory: true)
  }

  /// The term of the service that had the host last; 0 for a service that was alone, nil where no service has had it.
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
