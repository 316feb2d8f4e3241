/// What an operation is about in addition to its server.
package enum OperationSubject: Sendable, Equatable {
  case backup(ID<DiskCopy>)
  case snapshot(ID<DiskCopy>)
  case plan(ID<Plan>)
  case operatingSystem(ID<OperatingSystem>)
}
