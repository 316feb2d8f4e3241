import Core
import Foundation

/// How the owners of accounts are notified; not at all where neither a program nor a webhook is configured.
struct NotifySettings: Sendable, Equatable {
  /// The program that gets each message on its standard input, followed by its arguments; empty for none.
  var command: [String] = []
  var webhook: URL?
  var secretFile: String?
  var from: EmailAddress?

  /// The keys whose values contradict other keys, and why.
  var contradictions: [(key: String, message: String)] {
    if !command.isEmpty, webhook != nil {
      return [("notify.webhook", "there is notify.command already: notices go one way, or the other")]
    }
    if !command.isEmpty, from == nil {
      return [("notify.command", "it needs notify.from, the address that its messages come from")]
    }
    if webhook != nil, secretFile == nil {
      return [("notify.webhook", "it needs notify.secret_file, with what its requests are signed")]
    }
    return []
  }
}

extension ConfigurationKey {
  static let notify: [ConfigurationKey] = [notifyCommand, notifyWebhook, notifySecretFile, notifyFrom]

  private static let notifyCommand = ConfigurationKey(
    name: "notify.command", defaultText: "none",
    description:
      "The program that gets each notice as a message on its standard input, and its arguments; no shell reads them",
    rule: "none, or the absolute path of a program and its arguments, such as [/usr/sbin/sendmail, -t, -i]",
    isList: true,
    apply: { value, configuration in
      let words = value.elements
      if value.text == "none" || words.isEmpty {
        configuration.notify.command = []
        return true
      }
      guard words.count <= 100, words[0].hasPrefix("/"), words.allSatisfy({ !$0.isEmpty && !$0.contains("\0") }) else {
        return false
      }
      configuration.notify.command = words
      return true
    },
    read: { $0.notify.command })

  private static let notifyWebhook = value(
    "notify.webhook", \.notify.webhook, default: "none",
    "Where each notice is sent by POST, signed as Standard Webhooks says, instead",
    rule: "none, or an https URL without a user; http for this machine's own 127.0.0.1, [::1] or localhost",
    parse: { $0 == "none" ? .some(nil) : webhookURL($0).map { .some($0) } }, print: { $0?.absoluteString ?? "none" })

  private static let notifySecretFile = ConfigurationKey(
    name: "notify.secret_file", defaultText: "none",
    description: "The file with the secret of the webhook: whsec_ and 24 to 64 bytes in base64",
    rule: "none, or the path of a file",
    apply: { value, configuration in
      if value.text == "none" {
        configuration.notify.secretFile = nil
        return true
      }
      guard let path = value.directory?.path else { return false }
      configuration.notify.secretFile = path
      return true
    },
    read: { [$0.notify.secretFile ?? "none"] })

  private static let notifyFrom = value(
    "notify.from", \.notify.from, default: "none", "The address that messages come from",
    rule: "none, or an e-mail address in ASCII without a name, such as noreply@example.com",
    parse: { $0 == "none" ? .some(nil) : EmailAddress($0).map { .some($0) } }, print: { $0?.text ?? "none" })

  private static func webhookURL(_ text: String) -> URL? {
    guard text.isPlain(atMost: 2000), text.utf8.allSatisfy({ (0x21..<0x7F).contains($0) }), let url = URL(string: text),
      let host = url.host, !host.isEmpty, url.user == nil, url.password == nil, url.fragment == nil
    else { return nil }
    switch url.scheme {
    case "https": return url
    case "http": return ["127.0.0.1", "::1", "[::1]", "localhost"].contains(host) ? url : nil
    default: return nil
    }
  }
}
