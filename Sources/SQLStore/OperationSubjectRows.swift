import Core

extension OperationSubject {
  /// Of a row of `operation`; to be read by `RowReader.subject(of:)`.
  static let columns = """
    operation.subject_id, \
    (SELECT disk_copy.kind FROM disk_copy WHERE disk_copy.id = operation.subject_id)
    """
}

extension RowReader {
  /// - Parameter kind: Nil where there is no operation.
  mutating func subject(of kind: Core.Operation.Kind?) throws -> OperationSubject? {
    let id = try next(Int64?.self)
    let copyKind = try next(DiskCopy.Kind?.self)
    guard let id, let kind else { return nil }
    switch kind {
    case .backup, .snapshot, .restore, .discard:
      return copyKind == .snapshot ? .snapshot(ID(id)) : .backup(ID(id))
    case .resize: return .plan(ID(id))
    case .rebuild: return .operatingSystem(ID(id))
    case .create, .start, .stop, .hardStop, .reboot, .recover, .configure, .readdress, .move, .delete, .rescue,
      .leaveRescue:
      return nil
    }
  }
}
