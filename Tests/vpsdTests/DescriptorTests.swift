import API
import Foundation
import Logging
import TestSupport
import Testing

@testable import vpsd

@Suite("Where the system gives few descriptors, or none", .serialized)
struct DescriptorTests {
  @Test("The service takes all that it can have, and fits its connections to that")
  func fitting() {
    let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    func fitted(_ count: Int, _ wanted: Int, consoles: Int = 256) -> Int {
      var limits = ConnectionLimits()
      limits.connections = wanted
      return DescriptorLimit(count: count).fitting(limits, consoles: consoles, logger: logger).connections
    }
    #expect(fitted(1 << 20, 1024) == 1024)
    #expect(fitted(4096, 1024) == 1024)
    #expect(fitted(1024, 1024) == 704)
    #expect(fitted(256, 1024) == 96)
    #expect(fitted(64, 1024) == 8)
    #expect(fitted(4096, 0) == 3776, "no limit is what fits")
    for count in stride(from: 128, through: 8192, by: 64) {
      for consoles in [0, 16, 256, 5000] {
        let connections = fitted(count, 1024, consoles: consoles)
        let open = consoles > 0 ? min(consoles, connections) : connections
        #expect(connections + open + DescriptorLimit.reserve <= count || connections <= count / 2)
      }
    }
  }

  @Test("With 64 descriptors it answers, waits without work for more, and says so")
  func scarce() async throws {
    try await ServiceProcess.with(limit: "ulimit -n 64") { service async throws in
      #expect(service.log.contains("fewer connections than configured fit"))
      var silent: [Int32] = []
      defer { for descriptor in silent { close(descriptor) } }
      for _ in 0..<100 { silent.append(service.connect()) }
      #expect(await service.isHealthy())
      #expect(try await service.comesToRest())
    }
  }

  @Test("The soft limit is raised; where descriptors run out all the same, accepting waits and is told once")
  func exhausted() async throws {
    try await ServiceProcess.with(limit: "ulimit -Sn 64") { service async throws in
      let limits = try String(contentsOfFile: "/proc/\(service.id)/limits", encoding: .utf8)
      let line = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max open files") })
      let numbers = line.split(separator: " ").compactMap { Int($0) }
      #expect(numbers.count == 2 && numbers[0] == numbers[1] && numbers[0] > 64)

      try service.setLimit(10)
      var waiting: [Int32] = []
      defer { for descriptor in waiting { close(descriptor) } }
      for _ in 0..<20 { waiting.append(service.connect()) }
      try await service.whenLogged("no connection can be accepted for want of descriptors")
      #expect(try await service.comesToRest())
      try service.setLimit(numbers[1])
      #expect(await service.isHealthy())
      try await service.whenLogged("connections are accepted again")
      #expect(service.log.components(separatedBy: "for want of descriptors").count == 2)
    }
  }
}
