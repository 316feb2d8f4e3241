import Testing

@testable import Core

@Suite("Tasks that sleep", .timeLimit(.minutes(2)))
struct SleepingTasksTests {
  private let sleeping = SleepingTasks()

  private func wait(for count: Int) async {
    while sleeping.count.sleepers != count { await Task.yield() }
  }

  @Test("Sleeps that are cancelled end at once, and nothing of them is kept")
  func cancelled() async {
    let tasks = (1...2_000).map { number in
      Task { [sleeping] in try await sleeping.sleep(for: .seconds(3_600 + number % 7)) }
    }
    await wait(for: tasks.count)
    for task in tasks { task.cancel() }
    for task in tasks {
      await #expect(throws: CancellationError.self) { try await task.value }
    }
    #expect(sleeping.count.sleepers == 0)
    #expect(sleeping.count.times <= 64)
  }

  @Test("Each wakes at its own time, in whatever order they went to sleep, and the others sleep on")
  func order() async throws {
    let far = (1...100).map { _ in Task { [sleeping] in try await sleeping.sleep(for: .seconds(86_400)) } }
    await wait(for: far.count)
    let began = SuspendingClock.now
    let woken = try await withThrowingTaskGroup(of: Int.self) { group in
      for milliseconds in [120, 10, 60, 180, 30, 150, 90] {
        group.addTask { [sleeping] in
          try await sleeping.sleep(for: .milliseconds(milliseconds))
          #expect(SuspendingClock.now - began >= .milliseconds(milliseconds))
          return milliseconds
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(woken.sorted() == [10, 30, 60, 90, 120, 150, 180])
    #expect(sleeping.count.sleepers == far.count)
    for task in far { task.cancel() }
    await wait(for: 0)
  }

  @Test("Many whose times are the same, or as near as can be, all wake")
  func crowd() async throws {
    try await withThrowingTaskGroup { group in
      for number in 1...5_000 {
        group.addTask { [sleeping] in try await sleeping.sleep(for: .nanoseconds(1 + number % 3)) }
      }
      try await group.waitForAll()
    }
    #expect(sleeping.count == (0, 0))
  }

  @Test("Who is cancelled already does not sleep, and a sleep may be longer than any time that can be told")
  func extremes() async {
    let task = Task { [sleeping] in
      withUnsafeCurrentTask { $0?.cancel() }
      try await sleeping.sleep(for: .seconds(3_600))
    }
    await #expect(throws: CancellationError.self) { try await task.value }
    let long = Task { [sleeping] in try await sleeping.sleep(for: .seconds(Int64.max)) }
    await wait(for: 1)
    long.cancel()
    await #expect(throws: CancellationError.self) { try await long.value }
  }
}
