import Foundation
import PrivateFiles

/// Files and folders of machines. Everything here blocks.
enum MachineFiles {
  /// Makes a folder. It is closed to other users, also where it existed, except those whom `FileOwner` lets through.
  static func makeDirectory(_ path: String) throws {
    do {
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    } catch {
      throw HostError(call: "make \(path)", number: number(of: error))
    }
    var status = stat()
    guard stat(path, &status) == 0, chmod(path, status.st_mode & 0o710) == 0 else {
      throw HostError.last("chmod \(path)")
    }
  }

  /// Syncs the folder that contains the path, so that changes of its entries last.
  static func syncDirectory(of path: String) throws {
    try PrivateFile.sync((path as NSString).deletingLastPathComponent)
  }

  static func names(in folder: String) throws -> [String] {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder)
    } catch {
      throw HostError(call: "list \(folder)", number: EIO)
    }
  }

  /// The entries of a folder that are named by a UUID; none where there is no folder.
  static func uuids(in folder: String) throws -> Set<UUID> {
    guard exists(folder) else { return [] }
    return Set(try names(in: folder).compactMap(UUID.init(uuidString:)))
  }

  /// What the file takes of the host's disk, in bytes: for a sparse file less than its size.
  static func allocatedBytes(of path: String) throws -> Int64 {
    var status = stat()
    guard stat(path, &status) == 0 else { throw HostError.last("look at \(path)") }
    return Int64(status.st_blocks) * 512
  }

  static func freeBytes(at path: String) throws -> Int64 {
    var fileSystem = statvfs()
    guard statvfs(path, &fileSystem) == 0 else { throw HostError.last("look at \(path)") }
    return Int64(clamping: UInt64(fileSystem.f_bavail)) * Int64(fileSystem.f_frsize)
  }

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Nil where there is no file.
  static func size(of path: String) throws -> Int64? {
    var status = stat()
    if stat(path, &status) == 0 { return Int64(status.st_size) }
    if errno == ENOENT { return nil }
    throw HostError.last("look at \(path)")
  }

  /// Removes a file or a whole folder; what is absent is fine.
  static func remove(_ path: String) throws {
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch let error {
      let number = number(of: error)
      if number != ENOENT { throw HostError(call: "remove \(path)", number: number) }
    }
  }

  private static func number(of error: any Error) -> Int32 {
    if let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError,
      underlying.domain == NSPOSIXErrorDomain
    {
      return Int32(clamping: underlying.code)
    }
    switch (error as NSError).code {
    case CocoaError.fileNoSuchFile.rawValue, CocoaError.fileReadNoSuchFile.rawValue: return ENOENT
    case CocoaError.fileWriteOutOfSpace.rawValue: return ENOSPC
    default: return EIO
    }
  }
}
