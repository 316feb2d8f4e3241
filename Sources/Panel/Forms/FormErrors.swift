import Core

/// What is wrong with single fields of a form, and with the whole form.
struct FormErrors: Sendable {
  private(set) var fields: [String: [String]] = [:]
  private(set) var general: String?

  init() {}

  /// Nil for a failure that the form did not cause: it has an error page of its own.
  init?(_ failure: Failure, _ words: Words) {
    switch failure.code {
    case .invalidFields(let errors):
      for error in errors { fields[error.field.formName, default: []] += error.messages.map { words(message: $0) } }
    case .wrongState, .conflict, .insufficientCredit, .noCapacity, .unavailable, .invalidRequest, .unprocessable,
      .preconditionFailed, .permissionDenied:
      general = words(message: failure.message)
    case .credentialsMissing, .credentialsInvalid, .notFound, .internalError: return nil
    }
  }

  subscript(name: StaticString) -> [String] { fields["\(name)"] ?? [] }

  var isEmpty: Bool { fields.isEmpty && general == nil }

  mutating func add(_ name: StaticString, _ message: String) { fields["\(name)", default: []].append(message) }

  mutating func add(_ others: FormErrors) {
    fields.merge(others.fields) { $0 + $1 }
    general = general ?? others.general
  }

  /// Adds an error for each of these fields that is missing.
  mutating func require(_ names: [StaticString], in form: Form, _ words: Words) {
    for name in names where form[name] == nil { add(name, words(.fieldIsRequired)) }
  }
}

extension Field {
  /// The field's name in the forms of the panel.
  fileprivate var formName: String {
    switch self {
    case .name: "name"
    case .plan: "plan"
    case .operatingSystem: "system"
    case .location: "location"
    case .hostname: "hostname"
    case .sshKey, .sshKeys: "ssh_key"
    case .publicKey: "public_key"
    case .permissions: "permissions"
    case .expiry: "expires_at"
    case .server: "server"
    case .account: "account"
    case .description: "description"
    case .email: "email"
    case .password: "password"
    case .currentPassword: "current_password"
    case .userData: "user_data"
    case .code: "code"
    case .start: "start"
    case .step: "step"
    case .amount: "amount"
    case .note: "note"
    case .reason: "reason"
    case .address: "ip_address"
    case .reverseName: "ptr"
    }
  }
}
