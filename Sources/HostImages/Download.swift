import Core
import Foundation
import HostPrograms

/// A file on the web, fetched by curl on a workbench. When the connection ends, the bytes so far are kept and the download
/// continues from there.
struct Download {
  let url: String
  let maximumBytes: Int64
  let deadline: ContinuousClock.Instant
  let folder: WorkFolder
  var progress: ((DownloadProgress) -> Void)?
  /// Whether a later download continues from the bytes of this one.
  var isGoneOnWith = true

  /// The most attempts in a row that bring no bytes, and the most restarts from the beginning, for servers that send no ranges.
  private static let tries = 4
  private static let maximumRedirects = 5
  /// A slower connection is given up for a new one.
  private static let slowestBytesPerSecond = 1024
  private static let slowestSeconds = 60
  /// The variables by which curl finds the operator's proxies.
  private static let proxies = [
    "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY",
  ]

  /// Continues after the bytes that the file already has.
  func run(to file: String) throws {
    let path = "\(folder.workbench)/\(file)"
    var (failures, beginnings) = (0, 0)
    while true {
      let before = (try? RegularFile.size(of: path)) ?? 0
      let failure = try attempt(file, path, hasBegunAnew: beginnings > 0)
      guard let failure else { return }
      let after = (try? RegularFile.size(of: path)) ?? 0
      if failure == .cannotResume {
        try removeFile(path)
        beginnings += 1
      }
      failures = after > before ? 0 : failures + 1
      guard failures < Self.tries, beginnings < Self.tries, ContinuousClock.now < deadline else {
        throw ImageRefusal.failed(
          "\(url) cannot be fetched: \(failure.words).\(hope(hasBegunAnew: beginnings > 0))")
      }
      poll(nil, 0, Int32(100 << failures))
    }
  }

  private enum Failure: Equatable {
    case cannotResume
    case passing(String)

    var words: String {
      switch self {
      case .cannotResume: "its publisher sends no part of it"
      case .passing(let words): words
      }
    }
  }

  /// Nil once the file is complete. Throws where another attempt would fail in the same way.
  private func attempt(_ file: String, _ path: String, hasBegunAnew: Bool) throws -> Failure? {
    guard let remaining = deadline.remainingMilliseconds else { throw tooSlow(hasBegunAnew: hasBegunAnew) }
    unlink("\(folder.workbench)/headers")
    let seconds = max(1, Int(remaining) / 1000)
    let ending = try folder.end(
      "curl", arguments(file, seconds: seconds), fileBytes: maximumBytes, within: .seconds(seconds + 10),
      hasNetwork: true, environment: Self.environment, whileItRuns: { tell(path) })
    switch ending.exitStatus {
    case 0:
      tell(path)
      return nil
    case 33: return .cannotResume
    case 22: return try failure(ofReply: ending.output)
    case 63: throw tooLarge
    case 23 where (try? RegularFile.size(of: path)) ?? 0 >= maximumBytes: throw tooLarge
    case nil where ending.signal == SIGXFSZ: throw tooLarge
    case 1: throw ImageRefusal.unfit("\(url) leads to what is neither HTTP nor HTTPS.")
    case 47: throw ImageRefusal.unfit("\(url) leads to more than \(Self.maximumRedirects) other addresses in a row.")
    case 35, 51, 58, 60, 77: throw ImageRefusal.failed("\(url) does not prove who it is: \(ending.words)")
    case 28:
      if ContinuousClock.now + .seconds(1) >= deadline { throw tooSlow(hasBegunAnew: hasBegunAnew) }
      return .passing("the connection is too slow")
    case 18: return .passing("the connection ended before its end")
    default: return .passing(ending.words)
    }
  }

  private func arguments(_ file: String, seconds: Int) -> [String] {
    let protocols = url.hasPrefix("https://") ? "=https" : "=http,https"
    return [
      // Ignores curl's configuration files.
      "--disable", "--proto", "=http,https", "--proto-redir", protocols, "--location", "--max-redirs",
      "\(Self.maximumRedirects)", "--globoff", "--fail", "--silent", "--show-error", "--connect-timeout", "20",
      "--speed-limit", "\(Self.slowestBytesPerSecond)", "--speed-time", "\(Self.slowestSeconds)",
      "--max-time", "\(seconds)", "--max-filesize", "\(maximumBytes)", "--continue-at", "-", "--dump-header", "headers",
      "--output", file, "--url", url,
    ]
  }

  private static var environment: [String: String] {
    let own = ProcessInfo.processInfo.environment
    return own.filter { proxies.contains($0.key) }
  }

  private func failure(ofReply output: String) throws -> Failure {
    let status = output.split(separator: ":").last.map { $0.filter(\.isNumber) }.flatMap { Int($0) } ?? 0
    // An overloaded server may answer later.
    if status >= 500 || status == 408 || status == 429 { return .passing("its publisher answers \(status)") }
    throw ImageRefusal.failed("\(url) cannot be fetched: its publisher answers \(status).")
  }

  private var tooLarge: ImageRefusal {
    .unfit("\(url) has more than \(maximumBytes) bytes, which is as much as is fetched.")
  }

  private func tooSlow(hasBegunAnew: Bool) -> ImageRefusal {
    .failed("\(url) did not come in time.\(hope(hasBegunAnew: hasBegunAnew))")
  }

  /// Words for the case that the next download continues from these bytes; empty where the server has sent no ranges.
  private func hope(hasBegunAnew: Bool) -> String {
    isGoneOnWith && !hasBegunAnew ? " What came of it is gone on with next time." : ""
  }

  private func removeFile(_ path: String) throws {
    guard unlink(path) == 0 || errno == ENOENT else { throw ImageRefusal.failed("\(path) cannot be removed.") }
  }

  private func tell(_ path: String) {
    guard let progress, let bytes = try? RegularFile.size(of: path) else { return }
    progress(DownloadProgress(bytes: bytes, totalBytes: totalBytes))
  }

  /// The size of the whole file by the headers of the latest reply; nil where they do not tell.
  private var totalBytes: Int64? {
    guard let bytes = try? RegularFile.bytes(of: "\(folder.workbench)/headers", atMost: 65_536) else { return nil }
    var total: Int64?
    for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
      let parts = line.split(separator: ":", maxSplits: 1)
      if line.hasPrefix("HTTP/") { total = nil }
      guard parts.count == 2 else { continue }
      let value = parts[1].trimmingCharacters(in: .whitespaces)
      switch parts[0].lowercased() {
      case "content-length": total = total ?? Int64(value)
      case "content-range": total = value.split(separator: "/").last.flatMap { Int64($0) }
      default: break
      }
    }
    return total
  }
}

package struct DownloadProgress: Sendable {
  package let bytes: Int64
  /// Nil where the server does not tell.
  package let totalBytes: Int64?
}
