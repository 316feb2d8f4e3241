package import Core
package import Foundation
import HostPrograms
import Synchronization

/// Fetches images whose publishers are known when they are first asked for, each once for all who wait for it. What is known of
/// those that are not there is in memory only: a process that dies leaves half of a download, which the next one goes on with
/// as soon as it is asked.
package final class ImageDownloads: Sendable {
  /// How patient to be with publishers.
  package struct Patience: Sendable {
    /// For whatever is fetched, beside the time for its size.
    package var least = Duration.seconds(600)
    package var slowestBytesPerSecond: Int64 = 512 << 10
    /// After the first failure; it doubles with each further one in a row.
    package var afterFailure = Duration.seconds(60)
    package var longestAfterFailure = Duration.seconds(3600)
    /// For whoever asks for what can only be had once somebody does something about it.
    package var withoutHope = Duration.seconds(300)

    package init() {}
  }

  private enum Entry {
    case fetching(ImageFetch, failures: Int)
    /// It may be tried again then.
    case failed(detail: String, until: Instant, failures: Int)
    /// There is none, and nothing fetches it.
    case missing(detail: String)
  }

  private struct Wanted {
    let name: String
    let image: KnownImage
    /// When somebody else was first found to be adding it.
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

  /// Other programs of the host, and the network, are needed for servers that there are.
  private static let atOnce = 2
  private static let customerReason = "The image of the operating system is not available."

  private let store: ImageStore
  private let recipes: URL?
  private let clock: any WallClock
  private let patience: Patience
  private let state = Mutex(State())

  /// - Parameter recipes: Where it is written whose publishers are known; nil where nothing is to be fetched.
  package init(store: ImageStore, recipes: URL?, clock: any WallClock, patience: Patience = Patience()) {
    self.store = store
    self.recipes = recipes
    self.clock = clock
    self.patience = patience
  }

  // MARK: - What is asked

  /// For whoever needs an image that is not there: returns while it is fetched, and throws why it is not. Blocks for a file.
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

  /// Looks at nothing but memory.
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

  /// Forgets that images are missing that an operator has added, or made known, since. Blocks for files.
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

  /// Ends what is fetched, which is gone on with another time, and begins nothing more. Blocks for a moment.
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
    // A name is part of a path.
    guard KnownImage.names(in: recipes).contains(name), let image = try KnownImage.named(name, in: recipes) else {
      throw ImageRefusal.notFound("There is no image \(name), and nobody is known who publishes it.")
    }
    if let violation = image.source.violation {
      throw ImageRefusal.unfit("What is known of \(name) breaks a rule: \(violation)")
    }
    return image
  }

  // MARK: - What is done

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
        // Nobody else is kept from coming meanwhile.
        poll(nil, 0, 1000)
        state.withLock { $0.waiting.append(again) }
        beginNext()
      }
      thread.name = "image"
      thread.start()
    }
  }

  /// What is to be tried again in a moment; nil where it is there, or cannot be had.
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
    // Whoever adds it by hand may have been faster.
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

  /// Called while it comes.
  func note(_ totalBytes: Int64?) {
    // The publisher's word for it, within reason; between two connections nobody says it again.
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

  /// All of it has come.
  func end() { state.withLock { $0.isOver = true } }
}
