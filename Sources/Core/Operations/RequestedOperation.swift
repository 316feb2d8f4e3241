/// An operation that was just requested, and the state of its server after the request.
package struct RequestedOperation: Sendable, Equatable {
  package let server: Server
  package let operation: Operation

  package init(server: Server, operation: Operation) {
    self.server = server
    self.operation = operation
  }
}
