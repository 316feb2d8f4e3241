import APIClient
import FoundationEssentials

/// The connection of a command to a service.
struct Session: Sendable {
  let client: APIClient
  /// The name of the context if the user named one.
  let context: String?
  let postponement: Postponement

  init(context name: String?) throws {
    self.context = name
    let context = try Self.context(name)
    guard let url = URL(string: context.url), ["http", "https"].contains(url.scheme), url.host != nil else {
      throw Refusal(.refused, "url: \"\(context.url)\" is no address such as https://vps.example.com.")
    }
    guard let token = try context.readToken(), !token.isEmpty else {
      throw Refusal(
        .refused, "There is no token for \(context.url): set VPSCTL_URL and VPSCTL_TOKEN, or make a context with one.")
    }
    let postponement = Postponement()
    var retry = RetryPolicy.standard
    retry.onPause = { postponement.note($0) }
    client = APIClient(baseURL: url, token: token, userAgent: "vpsctl/\(Vpsctl.version)", retry: retry)
    self.postponement = postponement
  }

  private init(_ client: APIClient, context: String?, _ postponement: Postponement) {
    self.client = client
    self.context = context
    self.postponement = postponement
  }

  /// For requests that are waited for: if the service has no room now, the request is repeated when the service says, until the
  /// deadline.
  ///
  /// - Parameter subject: The change among several that the request is for.
  func patient(
    _ waiting: WaitOptions, until deadline: ContinuousClock.Instant, for subject: String? = nil
  ) -> Session {
    let isWaiting = waiting.isWaiting
    guard isWaiting || subject != nil else { return self }
    let postponement = Postponement(of: subject)
    var retry = RetryPolicy.standard
    if isWaiting { retry.unavailableUntil = deadline }
    retry.onPause = { pause in
      postponement.note(pause)
      guard isWaiting, case .begins(let error, _, let seconds, _) = pause, error.status == 503 else { return }
      let line = "\(error) It is asked again in \(seconds) s.".escapedForTerminal
      Terminal.tell((Terminal.isErrors ? "\r\u{1B}[K" : "") + line)
    }
    return Session(client.retrying(retry), context: context, postponement)
  }

  private static func context(_ name: String?) throws -> Context {
    let (url, token) = (Terminal.environment("VPSCTL_URL"), Terminal.environment("VPSCTL_TOKEN"))
    // A context that the user names takes precedence over the environment.
    if let name { return try ContextStore.read(name) }
    if let url, let token { return Context(url: url, token: token, tokenCommand: nil) }
    let named = Terminal.environment("VPSCTL_CONTEXT")
    // A token in the environment is never sent to a service that only a folder or its files name.
    guard token == nil || url != nil || named != nil else {
      throw Refusal(
        .refused, "VPSCTL_TOKEN is set, and nothing says for which service: set VPSCTL_URL or VPSCTL_CONTEXT too.")
    }
    var context =
      try named.map(ContextStore.read) ?? ContextStore.current().map(ContextStore.read) ?? LocalService.find()
    if let url {
      // A context's token is sent to its own service only.
      guard let known = context, known.url == url else {
        throw Refusal(
          .refused, "VPSCTL_URL is set and VPSCTL_TOKEN is not: the token of a context is not sent elsewhere.")
      }
    }
    if let token { context?.token = token }
    guard let context else {
      throw Refusal(
        .refused, "Which service? There is none on this machine that could be found, and no context is in use.",
        "Make one: vpsctl context create NAME --url https://vps.example.com --token-stdin",
        "Or set VPSCTL_URL and VPSCTL_TOKEN.")
    }
    return context
  }

  func get(_ path: String, query: [(name: String, value: String)] = []) async throws -> JSON {
    try await client.request("GET", path, query: query).json()
  }
}
