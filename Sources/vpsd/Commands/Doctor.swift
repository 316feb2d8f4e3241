import API
import ArgumentParser
import Core
import Foundation
import LibvirtDriver

struct Doctor: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Look at the host and the installation, and tell what is wrong and what mends it.",
    discussion: """
      Each finding says what is so, what that means, and a command that mends it. It changes nothing, and may run beside the \
      service. With --repair it removes what bears this installation's mark and has no owner: machines with their disks, copies, \
      links and network namespaces. Ends with 0 where nothing was found, 1 where there are warnings, and 2 where there are errors.
      """)

  @OptionGroup var options: ConfigurationOptions
  @OptionGroup var output: OutputOptions
  @Flag(help: "Remove what bears our mark and has no owner.") var repair = false

  /// Longer than the service needs to notice and repair a change of a machine.
  private static let secondLookAfter = Duration.seconds(12)

  func run() async throws {
    let examination = Examination(configuration: try options.load())
    var patient = await examination.run()
    if passes(patient.facts) {
      try await SystemClock().sleep(for: Self.secondLookAfter)
      let again = await examination.run()
      let earlier = patient.facts
      patient = again
      patient.facts.differences.removeAll { !earlier.differences.contains($0) }
      patient.facts.orphans.removeAll { !earlier.orphans.contains($0) }
    }
    if repair { try await mend(&patient) }
    let findings = Diagnosis.findings(patient.facts)
    for finding in findings { print(output.isJSON ? FindingRecord(finding: finding).json : finding.paragraph) }
    if findings.isEmpty, !output.isJSON { print("Nothing is wrong.") }
    let errors = findings.contains { $0.severity == .error }
    if !findings.isEmpty { throw ExitCode(errors ? 2 : 1) }
  }

  /// Whether a running service may be repairing the findings.
  private func passes(_ facts: HostFacts) -> Bool {
    facts.isServed && !(facts.differences.isEmpty && facts.orphans.isEmpty)
  }

  /// Holds the lock where no service runs, so that none starts meanwhile.
  private func mend(_ patient: inout Examination.Patient) async throws {
    guard let orphanage = patient.orphanage, !patient.facts.orphans.isEmpty else { return }
    let configuration = patient.facts.configuration
    let lock =
      patient.facts.isServed
      ? nil : try ProcessLock(path: DataDirectory(configuration.dataDirectory).lock, for: "doctor")
    let hands = try await orphanage.withHands(configuration)
    for orphan in patient.facts.orphans {
      do {
        try await hands.remove(orphan)
        patient.facts.orphans.removeAll { $0 == orphan }
        print(output.isJSON ? RepairRecord(orphan: orphan).json : "removed: \(orphan.text.escaped())")
      } catch {
        FileHandle.standardError.write(Data("It stays: \(orphan.text.escaped()). \(Worded.error(error))\n".utf8))
      }
    }
    await hands.rest()
    withExtendedLifetime(lock) {}
  }
}

extension Finding {
  /// The finding as text for people.
  fileprivate var paragraph: String {
    """
    \(severity.rawValue): \(area.rawValue): \(text.escaped())
        \(meaning.escaped())
        > \(remedy.escaped())
    """
  }
}

private struct FindingRecord: Record {
  let finding: Finding

  static let headings = ["SEVERITY", "AREA", "FINDING", "MEANING", "REMEDY"]
  var cells: [String] {
    [finding.severity.rawValue, finding.area.rawValue, finding.text, finding.meaning, finding.remedy]
  }

  func write(_ writer: inout JSONWriter) {
    writer.field("severity", finding.severity.rawValue)
    writer.field("area", finding.area.rawValue)
    writer.field("finding", finding.text)
    writer.field("meaning", finding.meaning)
    writer.field("remedy", finding.remedy)
  }
}

private struct RepairRecord: Record {
  let orphan: Orphan

  static let headings = ["REMOVED"]
  var cells: [String] { [orphan.text] }
  func write(_ writer: inout JSONWriter) { writer.field("removed", orphan.text) }
}
