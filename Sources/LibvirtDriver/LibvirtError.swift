import CLibvirt
import Core
import Foundation
import HostPrograms
import PrivateFiles

/// An error of libvirt, with its code and message unchanged.
struct LibvirtError: Error, CustomStringConvertible {
  let call: String
  let code: UInt32
  let message: String
  /// Of the system call that failed, for an error of the system.
  var number: Int32 = 0

  /// The error of the last call on this thread: it must be read before the thread does anything else.
  static func last(_ call: String) -> LibvirtError {
    guard let error = virGetLastError() else { return LibvirtError(call: call, code: 0, message: "no error was set") }
    return LibvirtError(
      call: call, code: UInt32(bitPattern: error.pointee.code),
      message: error.pointee.message.map { String(cString: $0) } ?? "no message", number: error.pointee.int1)
  }

  var description: String { "\(call): \(message) (libvirt error \(code))" }
  var isMissingDomain: Bool { code == VIR_ERR_NO_DOMAIN.rawValue }
  var isMissingBackup: Bool { code == VIR_ERR_NO_DOMAIN_BACKUP.rawValue }
  var isMissingMetadata: Bool { code == VIR_ERR_NO_DOMAIN_METADATA.rawValue }
}

extension LibvirtError {
  var driverError: DriverError {
    guard isInWordsOnly,
      let known = Self.complaints.first(where: { complaint in complaint.fragments.allSatisfy(message.contains) })
    else { return DriverError(kindByCode, description) }
    return DriverError(known.kind, description, customerReason: known.customerReason)
  }

  /// QEMU's reason for not starting comes as text only, behind a general code of libvirt. The text is English on every host:
  /// libvirt starts QEMU with LC_ALL=C.
  private var isInWordsOnly: Bool {
    [VIR_ERR_INTERNAL_ERROR, VIR_ERR_OPERATION_FAILED].contains { $0.rawValue == code }
  }

  private var kindByCode: DriverError.Kind {
    switch virErrorNumber(rawValue: code) {
    case VIR_ERR_NO_DOMAIN: .notFound
    case VIR_ERR_OPERATION_TIMEOUT, VIR_ERR_RESOURCE_BUSY, VIR_ERR_OPERATION_INVALID: .busy
    case VIR_ERR_NO_MEMORY: .exhausted
    case VIR_ERR_SYSTEM_ERROR where [ENOSPC, EDQUOT, ENOMEM].contains(number): .exhausted
    case VIR_ERR_XML_ERROR, VIR_ERR_XML_DETAIL, VIR_ERR_XML_INVALID_SCHEMA, VIR_ERR_CONFIG_UNSUPPORTED,
      VIR_ERR_INVALID_ARG, VIR_ERR_NO_SUPPORT, VIR_ERR_ARGUMENT_UNSUPPORTED, VIR_ERR_OPERATION_DENIED,
      VIR_ERR_DOM_EXIST, VIR_ERR_OPERATION_UNSUPPORTED:
      .rejected
    default: .unreachable
    }
  }

  private struct Complaint {
    let fragments: [String]
    let kind: DriverError.Kind
    let customerReason: String?
  }

  private static let complaints = [
    Complaint(fragments: ["Could not set up host forwarding rule"], kind: .exhausted, customerReason: nil),
    Complaint(fragments: ["Address already in use"], kind: .exhausted, customerReason: nil),
    Complaint(fragments: ["Cannot allocate memory"], kind: .exhausted, customerReason: nil),
    Complaint(fragments: ["cannot set up guest memory"], kind: .exhausted, customerReason: nil),
    Complaint(fragments: ["No space left on device"], kind: .exhausted, customerReason: nil),
    Complaint(fragments: ["Failed to get", "lock"], kind: .busy, customerReason: nil),
    Complaint(
      fragments: ["not in qcow2 format"], kind: .rejected, customerReason: "The server's disk cannot be read."),
    Complaint(
      fragments: ["qcow2", "corrupt"], kind: .rejected, customerReason: "The server's disk cannot be read."),
  ]
}

extension DriverError {
  /// Runs a body and turns all its errors into driver errors.
  static func translating<Value>(
    isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Value
  ) async throws -> Value {
    do {
      return try await body()
    } catch let error as DriverError {
      throw error
    } catch let error as LibvirtError {
      throw error.driverError
    } catch let error as HostError {
      throw error.driverError
    } catch is CancellationError {
      throw DriverError(.busy, "the call was cancelled")
    } catch {
      throw DriverError(.unreachable, String(describing: error))
    }
  }
}
