import CLibvirt
import Core
import Foundation

/// One open connection to libvirtd. Its calls block: make them on `BlockingThreads` only.
///
/// libvirt allows calls from many threads at once, but until release 10.4 (Debian 12 has 9.0) that can crash the caller
/// (CVE-2024-4418, in its client code). So each connection serves one call at a time, and one that watches for events serves no
/// calls: see `Hypervisor`.
final class Connection: @unchecked Sendable {
  private let pointer: virConnectPtr
  private var lifecycleID: Int32 = -1

  init(uri: String) throws {
    EventLoop.ensureRunning()
    guard let pointer = virConnectOpen(uri) else { throw LibvirtError.last("open \(uri)") }
    self.pointer = pointer
  }

  deinit {
    // Closing calls the daemon, which may hang, and the last reference may be released on any thread.
    nonisolated(unsafe) let pointer = pointer
    let lifecycleID = lifecycleID
    Thread.detachNewThread {
      if lifecycleID >= 0 {
        virConnectDomainEventDeregisterAny(pointer, lifecycleID)
        virConnectUnregisterCloseCallback(pointer, connectionClosed)
      }
      virConnectClose(pointer)
    }
  }

  /// Calls `onEvent` for lifecycle events, and `onClose` when the connection ends, as it does when the daemon stops answering
  /// keepalives. Both run on libvirt's event thread and must not block it. Call this once, before the connection is shared.
  func watch(onEvent: @escaping @Sendable () -> Void, onClose: @escaping @Sendable () -> Void) throws {
    lifecycleID = virConnectDomainEventRegisterAny(
      pointer, nil, Int32(VIR_DOMAIN_EVENT_ID_LIFECYCLE.rawValue),
      unsafeBitCast(lifecycleChanged, to: virConnectDomainEventGenericCallback.self),
      Callback.retained(onEvent), releaseCallback)
    guard lifecycleID >= 0 else { throw LibvirtError.last("register for events") }
    guard
      virConnectRegisterCloseCallback(pointer, connectionClosed, Callback.retained(onClose), releaseCallback) == 0
    else { throw LibvirtError.last("register for the end of the connection") }
    guard virConnectSetKeepAlive(pointer, 5, 3) == 0 else { throw LibvirtError.last("set keepalive") }
  }

  var isAlive: Bool { virConnectIsAlive(pointer) == 1 }

  /// Nil where there is no such domain.
  func domain(_ machine: UUID) throws -> Domain? {
    guard let domain = virDomainLookupByUUIDString(pointer, machine.text) else {
      let error = LibvirtError.last("look up \(machine.text)")
      if error.isMissingDomain { return nil }
      throw error
    }
    return Domain(domain, of: self)
  }

  @discardableResult
  func define(_ xml: String) throws -> Domain {
    guard let domain = virDomainDefineXMLFlags(pointer, xml, VIR_DOMAIN_DEFINE_VALIDATE.rawValue) else {
      throw LibvirtError.last("define")
    }
    return Domain(domain, of: self)
  }

  /// Starts a machine from this description. If it is also defined, the definition applies again from its next start.
  func create(_ xml: String, isPaused: Bool = false) throws -> Domain {
    let flags = isPaused ? VIR_DOMAIN_START_PAUSED.rawValue : VIR_DOMAIN_NONE.rawValue
    guard let domain = virDomainCreateXML(pointer, xml, flags) else { throw LibvirtError.last("create") }
    return Domain(domain, of: self)
  }

  /// The capabilities of its QEMU as XML. The daemon determines them once.
  func capabilities(of accelerator: Accelerator? = nil) throws -> String {
    let type = accelerator?.domainType
    guard let capabilities = virConnectGetDomainCapabilities(pointer, nil, "x86_64", MachineType.newest, type, 0) else {
      throw LibvirtError.last("read the capabilities")
    }
    defer { free(capabilities) }
    return String(cString: capabilities)
  }

  /// State, CPU, memory and disk of every domain in one call, which never waits for a busy one.
  func statistics() throws -> [DomainStatistics] {
    let kinds =
      VIR_DOMAIN_STATS_STATE.rawValue | VIR_DOMAIN_STATS_CPU_TOTAL.rawValue | VIR_DOMAIN_STATS_BALLOON.rawValue
      | VIR_DOMAIN_STATS_BLOCK.rawValue
    var records: UnsafeMutablePointer<virDomainStatsRecordPtr?>?
    let count = virConnectGetAllDomainStats(
      pointer, kinds, &records, VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT.rawValue)
    guard count >= 0, let records else { throw LibvirtError.last("read statistics") }
    defer { virDomainStatsRecordListFree(records) }
    return (0..<Int(count)).compactMap { index in
      guard let record = records[index], let handle = record.pointee.dom else { return nil }
      // The list frees the handle that it brought; ours needs a reference of its own.
      virDomainRef(handle)
      return DomainStatistics(domain: Domain(handle, of: self), record: record.pointee)
    }
  }
}

private final class Callback: Sendable {
  let call: @Sendable () -> Void

  init(_ call: @escaping @Sendable () -> Void) {
    self.call = call
  }

  static func retained(_ call: @escaping @Sendable () -> Void) -> UnsafeMutableRawPointer {
    Unmanaged.passRetained(Callback(call)).toOpaque()
  }
}

private let releaseCallback: virFreeCallback = { opaque in
  if let opaque { Unmanaged<Callback>.fromOpaque(opaque).release() }
}

private let lifecycleChanged: virConnectDomainEventCallback = { _, _, event, _, opaque in
  // A changed definition does not change the machine's state.
  if let opaque, event != Int32(VIR_DOMAIN_EVENT_DEFINED.rawValue) {
    Unmanaged<Callback>.fromOpaque(opaque).takeUnretainedValue().call()
  }
  return 0
}

private let connectionClosed: virConnectCloseFunc = { _, _, opaque in
  if let opaque { Unmanaged<Callback>.fromOpaque(opaque).takeUnretainedValue().call() }
}
