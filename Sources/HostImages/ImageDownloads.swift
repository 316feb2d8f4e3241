package import Core
package import Foundation
import HostPrograms
import Synchronization

/// Fetches an image with a known publisher when it is first asked for, once for all callers that wait for it. Failures are kept
/// in memory only. A process that dies leaves a partial download, which the next process continues when it is asked for the
/// image.
package final class ImageDownloads: Sendable {
  /// How patient to be with publishers.
  package struct Patience: Sendable {
    /// For any download, in addition to the time for its size.
    package var least = Duration.seconds(600)
    package var slowestBytesPerSecond: Int64 = 512 << 10
    /// The wait after the first failure; it doubles with each further failure in a row.
    package var afterFailure = Duration.seconds(60)
    package var longestAfterFailure = Duration.seconds(3600)
    /// The wait that callers are told for an image that only an operator can provide.
    package var withoutHope = Duration.seconds(300)

    package init() {}
  }

  private enum Entry {
    case fetching(ImageFetch, failures: Int)
    /// It may be tried again from `until` on.
    case failed(detail: String, until: Instant, failures: Int)
    /// There is no such image, and nothing fetches it.
    case missing(detail: String)
  }

  private struct Wanted {
    let name: String
    let image: KnownImage
    /// When another process was first found to be adding it.
    var busySince: ContinuousClock.Instant?
  }

  private enum Ending {
    case ready
    case failed(String)
    case busy
  }

  private struct State {
    var images: [String: Entry] = [:]
    var waiting: [Wanted] = []
    var running: [String: StopSignal] = [:]
    var isEnded = false
  }

  /// Few at once, because existing servers need the host and its network.
  private static let atOnce = 2
  private static let customerReason = "The image of the operating system is not available."

  private let store: ImageStore
  private let recipes: URL?
  private let clock: any WallClock
  private let patience: Patience
  private let state = Mutex(State())

  /// - Parameter recipes: The folder of recipes with the known publishers; nil to download nothing.
  package init(store: ImageStore, recipes: URL?, clock: any WallClock, patience: Patience = Patience()) {
    self.store = store
    self.recipes = recipes
    self.clock = clock
    self.patience = patience
  }

  // MARK: - Requests

  /// Begins to download a missing image. Returns while it is being fetched, and throws the reason if it cannot be. Reads a
  /// file.
  package func fetch(_ name: String) throws(DriverError) {
    let now = clock.uptime
    let failures: Int
    switch state.withLock({ $0.images[name] }) {
    case .fetching: return
    case .failed(let detail, let until, _) where now < until: throw Self.unavailable(detail)
    case .failed(_, _, let former): failures = former
    case .missing, nil: failures = 0
    }
    let image: KnownImage
    do {
      image = try known(name)
    } catch {
      let detail = "\(error)"
      state.withLock { $0.images[name] = .missing(detail: detail) }
      throw Self.unavailable(detail)
    }
    state.withLock { state in
      if case .fetching = state.images[name] { return }
      state.images[name] = .fetching(.waiting, failures: failures)
      state.waiting.append(Wanted(name: name, image: image))
    }
    beginNext()
  }

  /// Why an image is missing, by what is in memory; nil where nothing is known or another attempt may begin.
  package func absence(of name: String) -> ImageAbsence? {
    switch state.withLock({ $0.images[name] }) {
    case nil: return nil
    case .fetching(let fetch, _): return .beingFetched(fetch)
    case .failed(_, let until, _):
      let now = clock.uptime
      return now < until ? .unavailable(for: until - now) : nil
    case .missing: return .unavailable(for: patience.withoutHope)
    }
  }

  /// Forgets failures of images that an operator has added since, or whose publisher has become known. Blocks for files.
  package func lookAgain() {
    let names = state.withLock { state in
      state.images.filter { if case .fetching = $0.value { false } else { true } }.map(\.key)
    }
    for name in names where (try? store.currentVersion(of: name)) != nil || isHopeful(name) {
      state.withLock { state in
        if case .fetching = state.images[name] { return }
        state.images[name] = nil
      }
    }
  }

  private func isHopeful(_ name: String) -> Bool {
    guard case .missing = state.withLock({ $0.images[name] }) else { return false }
    return (try? known(name)) != nil
  }

  /// Stops all downloads, which can be continued later, and begins no others. Blocks for up to ten seconds.
  package func end() {
    state.withLock { state in
      state.isEnded = true
      for stop in state.running.values { stop.set() }
    }
    let deadline = ContinuousClock.now + .seconds(10)
    while state.withLock({ !$0.running.isEmpty }), deadline.remainingMilliseconds != nil { poll(nil, 0, 20) }
  }

  private static func unavailable(_ detail: String) -> DriverError {
    DriverError(.notFound, detail, customerReason: customerReason)
  }

  private func known(_ name: String) throws -> KnownImage {
    guard let recipes else { throw ImageRefusal.notFound("There is no image \(name), and none is fetched on demand.") }
    // The name becomes part of a path, so it must be one of the catalogue.
    guard KnownImage.names(in: recipes).contains(name), let image = try KnownImage.named(name, in: recipes) else {
      throw ImageRefusal.notFound("There is no image \(name), and nobody is known who publishes it.")
    }
    if let violation = image.source.violation {
      throw ImageRefusal.unfit("What is known of \(name) breaks a rule: \(violation)")
    }
    return image
  }

  // MARK: - Downloading

  private func beginNext() {
    while true {
      let next = state.withLock { state -> (wanted: Wanted, stop: StopSignal)? in
        guard !state.isEnded, state.running.count < Self.atOnce, !state.waiting.isEmpty else { return nil }
        let wanted = state.waiting.removeFirst()
        let stop = StopSignal()
        state.running[wanted.name] = stop
        return (wanted, stop)
      }
      guard let next else { return }
      let thread = Thread { [self] in
        let again = run(next.wanted, next.stop)
        beginNext()
        guard let again else { return }
        // Other waiting images can begin during this pause.
        poll(nil, 0, 1000)
        state.withLock { $0.waiting.append(again) }
        beginNext()
      }
      thread.name = "image"
      thread.start()
    }
  }

  /// Returns the image if another process is adding it, to be tried again in a moment; nil once it is there or has failed.
  private func run(_ wanted: Wanted, _ stop: StopSignal) -> Wanted? {
    let name = wanted.name
    let ending = ending(of: wanted, stop)
    return state.withLock { state in
      state.running[name] = nil
      guard case .fetching(_, let failures) = state.images[name] else { return nil }
      switch ending {
      case .ready: state.images[name] = nil
      case .busy:
        state.images[name] = .fetching(.waiting, failures: failures)
        var again = wanted
        again.busySince = wanted.busySince ?? .now
        return again
      case .failed(let detail):
        let pause = min(patience.afterFailure * (1 << min(failures, 10)), patience.longestAfterFailure)
        state.images[name] = .failed(detail: detail, until: clock.uptime + pause, failures: failures + 1)
      }
      return nil
    }
  }

  private func ending(of wanted: Wanted, _ stop: StopSignal) -> Ending {
    // An operator may have added it by hand meanwhile.
    if (try? store.currentVersion(of: wanted.name)) != nil { return .ready }
    let deadline = FetchDeadline(patience, stop)
    do {
      _ = try addition(of: wanted.name, wanted.image, stop, deadline).run()
      return .ready
    } catch let refusal as ImageRefusal
      where refusal.kind == .busy && !stop.isSet
      && ContinuousClock.now < (wanted.busySince ?? .now) + patience.least
    {
      return .busy
    } catch {
      return .failed(deadline.isPast ? "\(error) It took longer than its size allows." : "\(error)")
    }
  }

  private func addition(
    of name: String, _ image: KnownImage, _ stop: StopSignal, _ deadline: FetchDeadline
  ) -> ImageAddition {
    let (year, month, day, _, _, _) = clock.now.calendar
    let today = String(year * 10_000 + month * 100 + day)
    var addition = ImageAddition(
      store: store, name: name, source: image.source, properties: image.properties, date: today)
    addition.osName = image.os
    addition.minimumDiskGiB = image.minimumDiskGiB
    addition.stop = stop
    addition.progress = { [weak self] progress in
      switch progress {
      case .downloading(let download):
        deadline.note(download.totalBytes)
        self?.show(.downloading(bytes: download.bytes, totalBytes: download.totalBytes), of: name)
      case .checking, .converting:
        deadline.end()
        self?.show(.preparing, of: name)
      }
    }
    return addition
  }

  private func show(_ fetch: ImageFetch, of name: String) {
    state.withLock { state in
      guard case .fetching(_, let failures) = state.images[name] else { return }
      state.images[name] = .fetching(fetch, failures: failures)
    }
  }
}

/// Stops a download that takes longer than its size allows.
private final class FetchDeadline: Sendable {
  private static let largestBelievedBytes: Int64 = 32 << 30

  private let began = ContinuousClock.now
  private let patience: ImageDownloads.Patience
  private let stop: StopSignal
  private let state = Mutex((isPast: false, isOver: false, totalBytes: Int64(0)))

  init(_ patience: ImageDownloads.Patience, _ stop: StopSignal) {
    self.patience = patience
    self.stop = stop
  }

  var isPast: Bool { state.withLock { $0.isPast } }

  /// Called while bytes arrive, with the whole size by the server's word.
  func note(_ totalBytes: Int64?) {
    // The server's word is believed up to a limit, and remembered, because it is unknown between two connections.
    let believed = state.withLock { state in
      state.isOver = false
      state.totalBytes = max(state.totalBytes, min(totalBytes ?? 0, Self.largestBelievedBytes))
      return state.totalBytes
    }
    let seconds = believed / patience.slowestBytesPerSecond
    guard ContinuousClock.now > began + patience.least + .seconds(seconds) else { return }
    let isLate = state.withLock { state in
      guard !state.isOver else { return false }
      state.isPast = true
      return true
    }
    if isLate { stop.set() }
  }

  /// To be called once the download is complete: the deadline no longer applies.
  func end() { state.withLock { $0.isOver = true } }
}
