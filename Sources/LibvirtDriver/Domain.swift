import CLibvirt
import Core
import Foundation

/// One domain of libvirt. Its calls block: make them on `BlockingThreads` only.
final class Domain: @unchecked Sendable {
  let pointer: virDomainPtr
  /// Keeps the connection open for as long as the handle lives.
  let connection: Connection
  /// Stored, because asking libvirt for the name would overwrite the error of the previous call.
  let name: String

  /// Takes over the caller's reference.
  init(_ pointer: virDomainPtr, of connection: Connection) {
    self.pointer = pointer
    self.connection = connection
    self.name = virDomainGetName(pointer).map { String(cString: $0) } ?? ""
  }

  deinit { virDomainFree(pointer) }

  var uuid: UUID? {
    var bytes = [CUnsignedChar](repeating: 0, count: Int(VIR_UUID_BUFLEN))
    guard virDomainGetUUID(pointer, &bytes) == 0 else { return nil }
    return bytes.withUnsafeBytes { UUID(uuid: $0.loadUnaligned(as: uuid_t.self)) }
  }

  /// A number that changes with every start; nil where the domain was not running when it was looked up.
  var runID: Int? {
    let id = virDomainGetID(pointer)
    return id == UInt32.max ? nil : Int(id)
  }

  func isActive() throws -> Bool {
    let result = virDomainIsActive(pointer)
    if result < 0 { throw LibvirtError.last("ask whether \(name) runs") }
    return result == 1
  }

  func state() throws -> DomainState {
    var state: Int32 = 0
    var reason: Int32 = 0
    try check(virDomainGetState(pointer, &state, &reason, 0), "read the state of")
    return DomainState(state: state, reason: reason)
  }

  /// Why the guest does not go on, if QEMU has paused the machine because its host had no room for what the guest wrote.
  var wantOfRoom: DriverError? {
    guard (try? state().isPausedForWantOfRoom) == true else { return nil }
    return DriverError(.exhausted, "\(name) was paused, because its disk could not be written")
  }

  func requireRoom() throws { if let wantOfRoom { throw wantOfRoom } }

  /// The mark of the running machine, or of its definition where it is off; nil where there is none.
  func mark() throws -> MachineMark? {
    guard
      let text = virDomainGetMetadata(
        pointer, Int32(VIR_DOMAIN_METADATA_ELEMENT.rawValue), MachineMark.namespace, 0)
    else {
      let error = LibvirtError.last("read the mark of \(name)")
      if error.isMissingMetadata { return nil }
      throw error
    }
    defer { free(text) }
    return MachineMark(metadata: String(cString: text))
  }

  /// The persistent definition as XML, from which the machine starts the next time.
  func definition() throws -> String { try description(VIR_DOMAIN_XML_INACTIVE.rawValue) }

  /// Whether the running machine has a screen, or its definition where it is off.
  func hasScreen() throws -> Bool { try description(0).contains("<graphics ") }

  private func description(_ flags: UInt32) throws -> String {
    guard let text = virDomainGetXMLDesc(pointer, flags) else { throw LibvirtError.last("describe \(name)") }
    defer { free(text) }
    return String(cString: text)
  }

  func start() throws { try check(virDomainCreateWithFlags(pointer, 0), "start") }
  func resume() throws { try check(virDomainResume(pointer), "resume") }
  func destroy() throws { try check(virDomainDestroyFlags(pointer, 0), "power off") }

  func pressPowerButton() throws {
    try check(
      virDomainShutdownFlags(pointer, VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN.rawValue), "press the power button of")
  }

  /// The file descriptor of a new connection to QEMU's VNC server, which listens nowhere: libvirt hands it one end of a socket
  /// pair.
  func openGraphics() throws -> Int32 {
    let descriptor = virDomainOpenGraphicsFD(pointer, 0, 0)
    if descriptor < 0 { throw LibvirtError.last("open the screen of \(name)") }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    return descriptor
  }

  func undefine() throws {
    let flags =
      VIR_DOMAIN_UNDEFINE_MANAGED_SAVE.rawValue | VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA.rawValue
      | VIR_DOMAIN_UNDEFINE_KEEP_NVRAM.rawValue | VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA.rawValue
    try check(virDomainUndefineFlags(pointer, flags), "undefine")
  }

  /// Sends one JSON command to the guest agent and returns its JSON answer.
  func agentCommand(_ command: String, timeoutSeconds: Int32) throws -> String {
    guard let answer = virDomainQemuAgentCommand(pointer, command, timeoutSeconds, 0) else {
      throw LibvirtError.last("ask the agent of \(name)")
    }
    defer { free(answer) }
    return String(cString: answer)
  }

  func check(_ result: Int32, _ what: String) throws {
    if result < 0 { throw LibvirtError.last("\(what) \(name)") }
  }
}

/// State and reason as libvirt's numbers, and their meaning here.
struct DomainState: Equatable {
  let state: Int32
  let reason: Int32

  /// `guestShutdown` may be wrong: libvirt reports the same reason when QEMU is ended by a signal. See `QEMULog`.
  var power: MachinePower {
    switch virDomainState(rawValue: UInt32(bitPattern: state)) {
    case VIR_DOMAIN_RUNNING, VIR_DOMAIN_BLOCKED, VIR_DOMAIN_SHUTDOWN:
      return .running
    case VIR_DOMAIN_PAUSED:
      let passing = [VIR_DOMAIN_PAUSED_STARTING_UP.rawValue, VIR_DOMAIN_PAUSED_SHUTTING_DOWN.rawValue]
      return passing.contains(UInt32(bitPattern: reason)) ? .running : .paused
    case VIR_DOMAIN_PMSUSPENDED:
      return .paused
    case VIR_DOMAIN_SHUTOFF where reason == Int32(VIR_DOMAIN_SHUTOFF_SHUTDOWN.rawValue):
      return .off(.guestShutdown)
    case VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_CRASHED:
      return .off(.other)
    default:
      return .unknown
    }
  }

  /// QEMU paused the machine because a write to its disk failed.
  var isPausedForWantOfRoom: Bool {
    state == Int32(VIR_DOMAIN_PAUSED.rawValue) && reason == Int32(VIR_DOMAIN_PAUSED_IOERROR.rawValue)
  }

  /// The hypervisor paused the machine for an operation of its own, and resumes it afterwards.
  var isPausedForAWhile: Bool {
    let reasons = [
      VIR_DOMAIN_PAUSED_MIGRATION, VIR_DOMAIN_PAUSED_SAVE, VIR_DOMAIN_PAUSED_DUMP, VIR_DOMAIN_PAUSED_SNAPSHOT,
    ]
    return state == Int32(VIR_DOMAIN_PAUSED.rawValue) && reasons.contains { Int32($0.rawValue) == reason }
  }
}
