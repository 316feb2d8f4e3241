import CLibvirt
import Core
import Foundation

/// A backup is a job in QEMU: it copies the first disk as of one moment, while the guest continues to run.
extension Domain {
  /// Begins to fill the file, an empty image of the disk's size, in the background. Throws where another backup is under way.
  func beginBackup(to path: String) throws {
    let xml = Markup(
      "domainbackup", ["mode": "push"],
      [
        Markup(
          "disks", [:],
          [
            Markup(
              "disk", ["name": "vda", "backup": "yes", "type": "file"],
              [Markup("target", ["file": path]), Markup("driver", ["type": "qcow2"])]),
            Markup("disk", ["name": "vdb", "backup": "no"]),
          ])
      ]
    ).rendered
    let flags = VIR_DOMAIN_BACKUP_BEGIN_REUSE_EXTERNAL.rawValue
    try check(virDomainBackupBegin(pointer, xml, nil, flags), "begin a backup of")
  }

  /// The backup that is under way, as libvirt describes it; nil where there is none.
  func backupDescription() throws -> String? {
    guard let text = virDomainBackupGetXMLDesc(pointer, 0) else {
      let error = LibvirtError.last("look for a backup of \(name)")
      if error.isMissingBackup { return nil }
      throw error
    }
    defer { free(text) }
    return String(cString: text)
  }

  func abortJob() throws { try check(virDomainAbortJob(pointer), "abort the job of") }

  /// Nil if the last backup succeeded, else what went wrong.
  func lastBackupFailure() throws -> String? {
    var type: Int32 = 0
    var count: Int32 = 0
    var parameters: virTypedParameterPtr?
    try check(
      virDomainGetJobStats(pointer, &type, &parameters, &count, VIR_DOMAIN_JOB_STATS_COMPLETED.rawValue),
      "read how the job ended of")
    defer { virTypedParamsFree(parameters, count) }
    let job = TypedParameters(parameters, count: Int(count))
    guard job.numbers[VIR_DOMAIN_JOB_OPERATION] == Int64(VIR_DOMAIN_JOB_OPERATION_BACKUP.rawValue) else {
      return "nobody knows how it ended"
    }
    if type == Int32(VIR_DOMAIN_JOB_COMPLETED.rawValue), job.numbers[VIR_DOMAIN_JOB_SUCCESS] != 0 { return nil }
    return job.texts[VIR_DOMAIN_JOB_ERRMSG] ?? "it was cancelled"
  }
}
