import Foundation

/// Runs a call that blocks in the kernel on a thread of its own. The tasks of this process share few threads, and the call may
/// be waiting for one of these tasks.
package func onOwnThread<Value: Sendable>(
  _ body: @escaping @Sendable () throws -> Value
) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
  }
}
