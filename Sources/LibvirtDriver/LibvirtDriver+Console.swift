package import Core
package import Foundation

extension LibvirtDriver {
  package func openConsole(of machine: UUID) async throws -> ConsoleConnection {
    try await onDomain(machine, "open the console") { domain in
      guard try domain.isActive() else {
        throw DriverError(
          .rejected, "the machine \(domain.name) does not run", customerReason: "Server is not running.")
      }
      do {
        return ConsoleConnection(descriptor: try domain.openGraphics())
      } catch let error as LibvirtError {
        // libvirt has no code of its own for a machine without a screen.
        guard (try? domain.hasScreen()) == false else { throw error }
        throw DriverError(
          .rejected, "\(error): it was started from a definition without one",
          customerReason: "This server was started without a screen. Reboot it to get a console.")
      }
    }
  }
}
