import Core
import SimulatedDriver
import Testing

@Suite("Whoever listens for changes holds nobody up")
struct ListenerTests {
  @Test("While machines change, others stop listening as they like", .timeLimit(.minutes(15)))
  func cancelled() async throws {
    try await withSimulatedHost { host in
      let machine = try await host.makeMachine()
      await withTaskGroup { group in
        for _ in 0..<4 {
          group.addTask {
            for _ in 0..<500 {
              let listener = Task { for await _ in host.driver.events() {} }
              await Task.yield()
              listener.cancel()
              await listener.value
            }
          }
        }
        group.addTask {
          for _ in 0..<500 {
            try? await host.driver.powerOff(machine)
            try? await host.driver.start(machine)
          }
        }
      }
      #expect(try await host.driver.power(of: machine).isOn)
    }
  }
}
