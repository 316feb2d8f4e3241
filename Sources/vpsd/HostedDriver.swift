import Core
import LibvirtDriver
import Logging
import SimulatedDriver

/// A driver whose host can be told that all its machines have been stopped for good reason: they are off, and nobody in the
/// guest wanted it.
protocol HostedDriver: ComputeDriver {
  func endHost() async throws
}
