import Core
import Foundation

extension SimulatedDriver {
  struct State {
    private(set) var machines: [UUID: SimulatedMachine] = [:]
    /// Which machines hold an address, so that nobody looks through all of them.
    private(set) var holders: [String: Set<UUID>] = [:]
    var copies: [UUID: SimulatedCopy]
    /// The copies under way, by copy.
    var copying: [UUID: SimulatedDiskWork] = [:]
    /// The restores under way, by machine.
    var restoring: [UUID: SimulatedDiskWork] = [:]
    /// When the machines that are coming from other hosts were first asked for.
    var receiving: [UUID: Instant] = [:]
    var options: Options
    var faults: Faults
    var calls: [DriverCall] = []
    /// Whether the file `off` was there at the last look.
    var isOff = false
    /// Nil while another service has the host.
    var folders: SimulatedFolders?
    /// The folders of a service that is alone, until `machines` and `copies` have all of their records.
    var unread: SimulatedFolders?
    /// The term for which this service has the host, where several share it.
    var term: Int64?

    init(_ records: SimulatedRecords? = nil, options: Options, faults: Faults) {
      (copies, self.options, self.faults) = ([:], options, faults)
      if let records { add(records) }
    }

    mutating func add(_ records: SimulatedRecords) {
      copies = records.copies
      for (uuid, machine) in records.machines where machines[uuid] == nil { replace(uuid, with: machine) }
    }

    /// Reads the records where nobody has: for those who cannot wait for `SimulatedDriver.readRecords`.
    mutating func readRecords() throws(DriverError) {
      guard let unread else { return }
      add(try unread.load())
      self.unread = nil
    }

    /// Also before all records have been read.
    mutating func known(_ machine: UUID) -> SimulatedMachine? {
      if let unread, machines[machine] == nil { replace(machine, with: try? unread.machines.record(of: machine)) }
      return machines[machine]
    }

    /// Their files stay.
    mutating func forgetCopies(of machine: UUID) {
      for copy in copies.values where copy.machine == machine { (copies[copy.uuid], copying[copy.uuid]) = (nil, nil) }
      restoring[machine] = nil
    }

    func kept() throws(DriverError) -> SimulatedFolders {
      guard let folders else { throw SimulatedDriver.elsewhere }
      return folders
    }

    /// Returns what was there before.
    @discardableResult
    mutating func replace(_ uuid: UUID, with machine: SimulatedMachine?) -> SimulatedMachine? {
      let before = machines[uuid]
      var machine = machine
      machine?.compact()
      machines[uuid] = machine
      for address in before?.addresses ?? [] {
        holders[address]?.remove(uuid)
        if holders[address]?.isEmpty == true { holders[address] = nil }
      }
      for address in machine?.addresses ?? [] { holders[address, default: []].insert(uuid) }
      return before
    }
  }
}
