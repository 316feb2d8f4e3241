import Foundation
import HostImages
import Synchronization

/// A line in a terminal that shows the progress; without a terminal nothing is shown.
final class ProgressLine: Sendable {
  private struct State {
    var shown = ""
    var nextAt = ContinuousClock.now
    var first: (bytes: Int64, at: ContinuousClock.Instant)?
  }

  private let isOnTerminal = isatty(STDERR_FILENO) == 1
  private let state = Mutex(State())

  func show(_ progress: ImageAddition.Progress) {
    guard isOnTerminal else { return }
    let now = ContinuousClock.now
    state.withLock { state in
      switch progress {
      case .downloading(let download):
        let first = state.first ?? (download.bytes, now)
        state.first = first
        guard now >= state.nextAt else { return }
        state.nextAt = now + .milliseconds(500)
        write(Self.words(download, since: first, now), &state)
      case .checking: write("checking", &state)
      case .converting: write("converting", &state)
      }
    }
  }

  func clear() {
    state.withLock { state in
      if !state.shown.isEmpty { write("", &state) }
    }
  }

  private static func words(
    _ download: DownloadProgress, since first: (bytes: Int64, at: ContinuousClock.Instant),
    _ now: ContinuousClock.Instant
  ) -> String {
    var words = "\(download.bytes >> 20) MiB"
    if let total = download.totalBytes, total > 0 {
      words += " of \(total >> 20) MiB, \(min(100, download.bytes * 100 / total)) %"
    }
    let seconds = first.at.duration(to: now).components.seconds
    if seconds > 0 { words += ", \(((download.bytes - first.bytes) / seconds) >> 10) KiB/s" }
    return words
  }

  private func write(_ words: String, _ state: inout State) {
    let blanks = String(repeating: " ", count: max(0, state.shown.count - words.count))
    FileHandle.standardError.write(Data("\r\(words)\(blanks)\(words.isEmpty ? "\r" : "")".utf8))
    state.shown = words
  }
}
