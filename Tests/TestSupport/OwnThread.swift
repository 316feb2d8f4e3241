import Foundation

/// Runs what waits in the kernel on a thread of its own. The tasks of this process have few threads, and what is waited for may be
/// one of them.
package func onOwnThread<Value: Sendable>(
  _ body: @escaping @Sendable () throws -> Value
) async throws -> Value {
  try await withCheckedThrowingContinuation { continuation in
    Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
  }
}
