import Core
import Testing

@Suite("Which action is possible in which status")
struct ServerStatusTests {
  /// The table of the API's documentation, row by row: start, stop, reboot.
  private static let table: [(ServerStatus, hasDisk: Bool, [String])] = [
    (.active, true, ["Server is already running.", "stopping", "rebooting"]),
    (.stopped, true, ["starting", "Server is not running.", "Server is not running."]),
    (.provisioning, false, Array(repeating: "Server is provisioning.", count: 3)),
    (.starting, true, Array(repeating: "Server is starting.", count: 3)),
    (.stopping, true, Array(repeating: "Server is stopping.", count: 3)),
    (.rebooting, true, Array(repeating: "Server is rebooting.", count: 3)),
    (.suspended, true, Array(repeating: "Server is suspended.", count: 3)),
    (.error, true, ["starting", "Server is not running.", "Server is not running."]),
    (.error, false, Array(repeating: "Server could not be created.", count: 3)),
  ]

  @Test("Every row of the documented table", arguments: table)
  func row(status: ServerStatus, hasDisk: Bool, answers: [String]) {
    for (action, answer) in zip([PowerAction.start, .stop, .reboot], answers) {
      do {
        #expect(try status.status(after: action, hasDisk: hasDisk).rawValue == answer)
      } catch {
        #expect(error.code == .wrongState)
        #expect(error.message == answer)
      }
    }
  }

  @Test("The table has a row for every status")
  func complete() {
    #expect(Set(Self.table.map(\.0)) == Set(ServerStatus.allCases))
  }
}
