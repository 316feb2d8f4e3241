/// An operation that somebody has just asked for, and its server as it is from then on.
package struct RequestedOperation: Sendable, Equatable {
  package let server: Server
  package let operation: Operation

  package init(server: Server, operation: Operation) {
    self.server = server
    self.operation = operation
  }
}
