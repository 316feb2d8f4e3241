import Core
import Engine

/// An element of a list, with its id: a client that pages with `?after=` sends the id of the last element that it has
/// seen.
protocol ListElement: Sendable {
  var idInList: Int64 { get }
}

extension Servers.View: ListElement { var idInList: Int64 { server.id.value } }
extension DiskCopy: ListElement { var idInList: Int64 { id.value } }
extension OperationRecord: ListElement { var idInList: Int64 { id.value } }
extension SSHKey: ListElement { var idInList: Int64 { id.value } }
extension Token: ListElement { var idInList: Int64 { id.value } }
extension Plan: ListElement { var idInList: Int64 { id.value } }
extension OperatingSystem: ListElement { var idInList: Int64 { id.value } }
extension Location: ListElement { var idInList: Int64 { id.value } }
extension LedgerEntry: ListElement { var idInList: Int64 { id.value } }
extension ServerCost: ListElement { var idInList: Int64 { serverID.value } }
extension Account: ListElement { var idInList: Int64 { id.value } }
extension AuditEntry: ListElement { var idInList: Int64 { id.value } }
extension HostLoad: ListElement { var idInList: Int64 { host.id.value } }
extension OperatorImages.Listing: ListElement { var idInList: Int64 { system.id.value } }
