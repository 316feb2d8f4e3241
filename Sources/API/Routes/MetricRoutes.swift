import Core
import Engine
import HTTPTypes
import Hummingbird

struct MetricRoutes {
  let metrics: Metrics
  let servers: Servers

  var endpoints: [Endpoint] {
    [Endpoint(.get, "/servers/{id}/metrics/", Metrics.toRead, handle: read)]
  }

  @Sendable private func read(_ request: APIRequest) async throws -> Response {
    let id = try await servers.id(of: try request.reference(), request.caller)
    try await servers.requireExists(id, request.caller)
    var errors = WireErrors()
    let kinds = try kinds(request, &errors)
    let start = try time("start", request, &errors)
    let end = try time("end", request, &errors)
    var step: Int64?
    if let text = try request.query("step") {
      step = text.isPlain(atMost: 19) ? Int64(text) : nil
      if step == nil { errors.add("step", "A valid integer is required.") }
    }
    try errors.throwIfAny(order: ["type", "start", "end", "step"])
    let series = try await metrics.read(id, from: start, to: end, stepSeconds: step, request.caller)
    return .json(MetricWire.series(series, kinds))
  }

  private func kinds(_ request: APIRequest, _ errors: inout WireErrors) throws(WireErrors) -> [MetricWire.Kind] {
    guard let text = try request.query("type") else { return MetricWire.Kind.allCases }
    let words = text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map(Substring.init)
    var kinds: Set<MetricWire.Kind> = []
    for word in words {
      guard word.isPlain(atMost: 16), let kind = MetricWire.Kind(rawValue: String(word)) else {
        errors.add("type", APIRequest.unknownChoice(String(word), MetricWire.Kind.allCases.map(\.rawValue)))
        break
      }
      kinds.insert(kind)
    }
    return MetricWire.Kind.allCases.filter { kinds.contains($0) }
  }

  private func time(
    _ name: Substring, _ request: APIRequest, _ errors: inout WireErrors
  ) throws(WireErrors) -> Timestamp? {
    guard let text = try request.query(name) else { return nil }
    if let time = Timestamp(wireFormat: text) { return time }
    errors.add(
      String(name),
      "Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z].")
    return nil
  }
}
