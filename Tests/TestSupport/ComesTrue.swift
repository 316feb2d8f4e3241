/// Lets others work until the condition holds. Returns false where it does not within two minutes, which is time enough for a
/// machine that has too much to do.
package func comesTrue(_ condition: () async throws -> Bool) async rethrows -> Bool {
  let deadline = ContinuousClock.now + .seconds(120)
  while true {
    let isLast = ContinuousClock.now > deadline
    if try await condition() { return true }
    if isLast { return false }
    await Task.yield()
  }
}
