import Core
import Foundation
import PrivateFiles

/// The firmware of machines that boot by UEFI: Debian's package `ovmf`.
enum UEFI {
  static let code = "/usr/share/OVMF/OVMF_CODE_4M.fd"
  private static let variables = "/usr/share/OVMF/OVMF_VARS_4M.fd"

  static func requireInstalled() throws {
    for file in [code, variables] where !MachineFiles.exists(file) {
      throw DriverError(
        .rejected, "there is no \(file): the package ovmf is not installed",
        customerReason: "The operating system cannot be run here.")
    }
  }

  /// Makes the machine's own file of variables, if it has none.
  static func prepareVariables(_ path: String) throws {
    if MachineFiles.exists(path) { return }
    try requireInstalled()
    guard let content = FileManager.default.contents(atPath: variables) else {
      throw DriverError(.unreachable, "\(variables) cannot be read")
    }
    try PrivateFile.write(content, to: path)
  }
}
