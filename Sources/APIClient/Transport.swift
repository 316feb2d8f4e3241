import CCurl
import Dispatch
import FoundationEssentials
import Synchronization

/// Sends requests with the system's libcurl, and keeps connections open between them.
final class Transport: Sendable {
  struct Request: Sendable {
    var method: String
    var url: String
    var headers: [(name: String, value: String)]
    var body: [UInt8]?
    /// The limit until the last byte of the reply has arrived; nil for none.
    var limitMilliseconds: Int?
    /// The request fails if nothing arrives for this long.
    var silenceSeconds: Int
  }

  struct Response: Sendable {
    var status = 0
    var headers: [(name: String, value: String)] = []
    var body: [UInt8] = []
  }

  /// Whether the caller still wants the answer.
  final class Interest: Sendable {
    private let isLost = Atomic<Bool>(false)

    func end() { isLost.store(true, ordering: .relaxed) }
    var isOver: Bool { isLost.load(ordering: .relaxed) }
  }

  private struct Handle: @unchecked Sendable {
    let pointer: UnsafeMutableRawPointer
  }

  static let maximumReplyBytes = 64 << 20
  private static let connectSeconds = 10
  private static let isReady: Bool =
    vps_curl_is_there() != 0 && vps_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

  /// Blocking calls run on threads of their own.
  private let queue = DispatchQueue(label: "requests", attributes: .concurrent)
  private let idle = Mutex<[Handle]>([])

  deinit {
    idle.withLock { handles in
      for handle in handles { vps_easy_cleanup(handle.pointer) }
    }
  }

  /// - Parameter onBytes: Gets each piece of a reply with the status 200; the body of any other reply is in the
  ///   response.
  func send(_ request: Request, onBytes: (@Sendable ([UInt8]) -> Void)? = nil) async throws(ConnectionFailure)
    -> Response
  {
    let interest = Interest()
    let result: Result<Response, ConnectionFailure> = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        queue.async {
          continuation.resume(
            returning: Result { () throws(ConnectionFailure) in try self.perform(request, interest, onBytes) })
        }
      }
    } onCancel: {
      interest.end()
    }
    return try result.get()
  }

  /// The state that the callbacks of one request share.
  private final class Exchange {
    let interest: Interest
    let onBytes: (@Sendable ([UInt8]) -> Void)?
    var response = Response()
    var isTooLong = false

    init(_ interest: Interest, _ onBytes: (@Sendable ([UInt8]) -> Void)?) {
      self.interest = interest
      self.onBytes = onBytes
    }

    func takeHeader(_ line: String) {
      if line.hasPrefix("HTTP/") {
        // After 100 Continue, or the reply of a proxy, the actual reply begins.
        response = Response()
        response.status = line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
      } else if let colon = line.firstIndex(of: ":") {
        response.headers.append(
          (String(line[..<colon]).lowercased(), String(line[line.index(after: colon)...]).trimmingSpace))
      }
    }

    func takeBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
      if let onBytes, response.status == 200 {
        onBytes(Array(bytes))
        return !interest.isOver
      }
      isTooLong = response.body.count + bytes.count > Transport.maximumReplyBytes
      guard !isTooLong else { return false }
      response.body += bytes
      return true
    }

    static func of(_ context: UnsafeMutableRawPointer?) -> Exchange? {
      context.map { Unmanaged<Exchange>.fromOpaque($0).takeUnretainedValue() }
    }
  }

  private func perform(
    _ request: Request, _ interest: Interest, _ onBytes: (@Sendable ([UInt8]) -> Void)?
  ) throws(ConnectionFailure) -> Response {
    guard Self.isReady, let handle = idle.withLock({ $0.popLast() })?.pointer ?? vps_easy_init() else {
      throw ConnectionFailure(.unreachable, "libcurl cannot be used.")
    }
    defer { idle.withLock { $0.append(Handle(pointer: handle)) } }
    // A reset keeps the handle's open connections.
    vps_easy_reset(handle)
    var list: UnsafeMutablePointer<curl_slist>?
    defer { vps_slist_free_all(list) }
    // Without `Expect:`, libcurl would wait for 100 Continue before it sends a body.
    for header in request.headers.map({ "\($0.name): \($0.value)" }) + ["Expect:"] {
      list = vps_slist_append(list, header)
    }
    let exchange = Exchange(interest, onBytes)
    Self.set(handle, request, list, Unmanaged.passUnretained(exchange).toOpaque())
    let code = withExtendedLifetime(exchange) { Self.perform(handle, request.body) }
    guard code == CURLE_OK else { throw Self.failure(code, handle, request, exchange) }
    return exchange.response
  }

  private static func set(
    _ handle: UnsafeMutableRawPointer, _ request: Request, _ headers: UnsafeMutablePointer<curl_slist>?,
    _ exchange: UnsafeMutableRawPointer
  ) {
    _ = vps_set_text(handle, CURLOPT_URL, request.url)
    _ = vps_set_text(handle, CURLOPT_PROTOCOLS_STR, "http,https")
    // Requests to this machine, with their token, must not go through a proxy.
    if isLoopback(request.url) { _ = vps_set_text(handle, CURLOPT_PROXY, "") }
    _ = vps_set_number(handle, CURLOPT_NOSIGNAL, 1)
    _ = vps_set_number(handle, CURLOPT_CONNECTTIMEOUT, connectSeconds)
    if let limit = request.limitMilliseconds { _ = vps_set_number(handle, CURLOPT_TIMEOUT_MS, max(1, limit)) }
    _ = vps_set_number(handle, CURLOPT_LOW_SPEED_LIMIT, 1)
    _ = vps_set_number(handle, CURLOPT_LOW_SPEED_TIME, request.silenceSeconds)
    _ = vps_set_list(handle, CURLOPT_HTTPHEADER, headers)
    if request.method == "HEAD" {
      _ = vps_set_number(handle, CURLOPT_NOBODY, 1)
    } else if request.body != nil || request.method == "POST" {
      _ = vps_set_number(handle, CURLOPT_POST, 1)
    }
    _ = vps_set_text(handle, CURLOPT_CUSTOMREQUEST, request.method)
    // If a reused connection turns out to be dead, libcurl would silently send the request a second time.
    if request.method == "DELETE" { _ = vps_set_number(handle, CURLOPT_FRESH_CONNECT, 1) }
    _ = vps_set_bytes(
      handle, CURLOPT_HEADERFUNCTION,
      { bytes, size, count, context in
        let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
        Exchange.of(context)?.takeHeader(String(decoding: line, as: UTF8.self).trimmingSpace)
        return size * count
      }, CURLOPT_HEADERDATA, exchange)
    _ = vps_set_bytes(
      handle, CURLOPT_WRITEFUNCTION,
      { bytes, size, count, context in
        let piece = UnsafeRawBufferPointer(start: bytes, count: size * count)
        return Exchange.of(context)?.takeBody(piece) == true ? size * count : 0
      }, CURLOPT_WRITEDATA, exchange)
    _ = vps_set_progress(
      handle, { context, _, _, _, _ in Exchange.of(context)?.interest.isOver == true ? 1 : 0 }, exchange)
  }

  private static func isLoopback(_ url: String) -> Bool {
    guard let host = URL(string: url)?.host?.lowercased() else { return false }
    let numbers = host.split(separator: ".", omittingEmptySubsequences: false)
    return ["localhost", "::1", "[::1]"].contains(host) || host.hasSuffix(".localhost")
      || numbers.first == "127" && numbers.count == 4 && numbers.allSatisfy { UInt8($0) != nil }
  }

  private static func perform(_ handle: UnsafeMutableRawPointer, _ body: [UInt8]?) -> CURLcode {
    (body ?? []).withUnsafeBytes { bytes in
      _ = vps_set_size(handle, CURLOPT_POSTFIELDSIZE_LARGE, Int64(bytes.count))
      return bytes.withMemoryRebound(to: CChar.self) { text in
        if body != nil, let start = text.baseAddress { _ = vps_set_text(handle, CURLOPT_POSTFIELDS, start) }
        return vps_easy_perform(handle)
      }
    }
  }

  private static func failure(
    _ code: CURLcode, _ handle: UnsafeMutableRawPointer, _ request: Request, _ exchange: Exchange
  ) -> ConnectionFailure {
    if exchange.interest.isOver { return ConnectionFailure(.cancelled, "Nobody waits for the answer any more.") }
    if exchange.isTooLong { return ConnectionFailure(.tooLong, "The reply is longer than any of the service.") }
    let place = request.url.prefix { $0 != "?" }
    let reason = String(cString: vps_easy_strerror(code))
    switch code {
    case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE, CURLE_SSL_CERTPROBLEM:
      return ConnectionFailure(.untrusted, "No safe connection to \(place): \(reason).")
    case _ where vps_get_number(handle, CURLINFO_REQUEST_SIZE) == 0 && code != CURLE_GOT_NOTHING:
      return ConnectionFailure(.unreachable, "No connection to \(place): \(reason).")
    default:
      return ConnectionFailure(.lost, "The connection to \(place) was lost: \(reason).")
    }
  }
}

extension String {
  var trimmingSpace: String {
    let isSpace: (Unicode.Scalar) -> Bool = { $0.properties.isWhitespace }
    let rest = unicodeScalars.drop(while: isSpace)
    return String(String.UnicodeScalarView(rest.reversed().drop(while: isSpace).reversed()))
  }
}
