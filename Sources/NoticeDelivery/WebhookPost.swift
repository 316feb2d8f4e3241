import CCurl
import Core
import Dispatch
import Glibc
import Synchronization

/// One request with the system's libcurl, of whose answer only the status is read.
///
/// URLSession of Foundation's Linux version is not used: when a session is ended while its answer arrives, it now and then ends the
/// whole process.
struct WebhookPost: Sendable {
  let url: String
  let headers: [String]
  let body: [UInt8]

  func status(within limit: Duration) async throws(UndeliveredNotice) -> Int {
    let exchange = Exchange()
    let result: Result<Int, UndeliveredNotice> = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        // The request blocks its thread.
        DispatchQueue.global().async {
          continuation.resume(returning: Result { () throws(UndeliveredNotice) in try perform(exchange, limit) })
        }
      }
    } onCancel: {
      exchange.isUnwanted.store(true, ordering: .relaxed)
    }
    return try result.get()
  }

  private func perform(_ exchange: Exchange, _ limit: Duration) throws(UndeliveredNotice) -> Int {
    guard Self.isReady(), let handle = vps_easy_init() else { throw UndeliveredNotice("libcurl cannot be used") }
    defer { vps_easy_cleanup(handle) }
    var list: UnsafeMutablePointer<curl_slist>?
    defer { vps_slist_free_all(list) }
    // Without `Expect:`, libcurl would wait for 100 Continue before it sends a body.
    for header in headers + ["Expect:"] { list = vps_slist_append(list, header) }
    Self.set(handle, url, list, limit, Unmanaged.passUnretained(exchange).toOpaque())
    let code = withExtendedLifetime(exchange) { Self.perform(handle, body) }
    if let status = exchange.status { return status }
    if exchange.isUnwanted.load(ordering: .relaxed) { throw UndeliveredNotice("the service was ended meanwhile") }
    if code == CURLE_OPERATION_TIMEDOUT { throw UndeliveredNotice("the webhook did not answer within \(limit)") }
    throw UndeliveredNotice(
      "the webhook cannot be reached: \(code == CURLE_OK ? "no status" : String(cString: vps_easy_strerror(code)))")
  }

  private static let wasReady = Mutex(false)

  /// If libcurl could not be loaded, for example for want of descriptors, the next notice tries again.
  private static func isReady() -> Bool {
    wasReady.withLock { wasReady in
      if wasReady { return true }
      // With CURLOPT_NOSIGNAL, libcurl leaves it to its users that a connection may be closed while TLS writes to it.
      signal(SIGPIPE, SIG_IGN)
      wasReady = vps_curl_is_there() != 0 && vps_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK
      return wasReady
    }
  }

  private static func set(
    _ handle: UnsafeMutableRawPointer, _ url: String, _ headers: UnsafeMutablePointer<curl_slist>?, _ limit: Duration,
    _ exchange: UnsafeMutableRawPointer
  ) {
    _ = vps_set_text(handle, CURLOPT_URL, url)
    _ = vps_set_text(handle, CURLOPT_PROTOCOLS_STR, "http,https")
    _ = vps_set_number(handle, CURLOPT_POST, 1)
    _ = vps_set_list(handle, CURLOPT_HTTPHEADER, headers)
    _ = vps_set_number(handle, CURLOPT_NOSIGNAL, 1)
    _ = vps_set_number(handle, CURLOPT_TIMEOUT_MS, max(1, Int(limit / .milliseconds(1))))
    // A lookup of the name that hangs is not waited for at the end.
    _ = vps_set_number(handle, CURLOPT_QUICK_EXIT, 1)
    // What a proxy on the way says is not the webhook's status.
    _ = vps_set_number(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
    _ = vps_set_bytes(
      handle, CURLOPT_HEADERFUNCTION,
      { bytes, size, count, context in
        let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
        // Less than what was given ends the request.
        return Exchange.of(context)?.take(line) == true ? size * count : 0
      }, CURLOPT_HEADERDATA, exchange)
    _ = vps_set_bytes(handle, CURLOPT_WRITEFUNCTION, { _, _, _, _ in 0 }, CURLOPT_WRITEDATA, exchange)
    _ = vps_set_progress(
      handle, { context, _, _, _, _ in Exchange.of(context)?.isUnwanted.load(ordering: .relaxed) == true ? 1 : 0 },
      exchange)
  }

  private static func perform(_ handle: UnsafeMutableRawPointer, _ body: [UInt8]) -> CURLcode {
    body.withUnsafeBytes { bytes in
      _ = vps_set_size(handle, CURLOPT_POSTFIELDSIZE_LARGE, Int64(bytes.count))
      return bytes.withMemoryRebound(to: CChar.self) { text in
        if let start = text.baseAddress { _ = vps_set_text(handle, CURLOPT_POSTFIELDS, start) }
        return vps_easy_perform(handle)
      }
    }
  }
}

/// What the callbacks of one request share. But for `isUnwanted`, it is used by the request's thread only.
private final class Exchange: @unchecked Sendable {
  let isUnwanted = Atomic<Bool>(false)
  private(set) var status: Int?

  /// Whether more of the answer is wanted.
  func take(_ line: UnsafeRawBufferPointer) -> Bool {
    let words = line.prefix(32).split(separator: UInt8(ascii: " "))
    guard words.first?.starts(with: "HTTP/".utf8) == true, words.count > 1,
      let number = Int(String(decoding: words[1].prefix(3), as: UTF8.self))
    else { return true }
    // After 100 Continue and its like, the actual answer begins.
    guard number >= 200 else { return true }
    status = number
    return false
  }

  static func of(_ context: UnsafeMutableRawPointer?) -> Exchange? {
    context.map { Unmanaged<Exchange>.fromOpaque($0).takeUnretainedValue() }
  }
}
