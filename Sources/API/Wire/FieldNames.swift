import Core

/// The names of fields in replies: the documented ones, except for fields that the client called by another name.
struct FieldNames {
  private let others: [Field: String]

  init(_ others: [Field: String] = [:]) {
    self.others = others
  }

  subscript(field: Field) -> String { others[field] ?? field.documentedName }
}

extension Field {
  fileprivate var documentedName: String {
    switch self {
    case .name: "name"
    case .account: "account_id"
    case .plan: "plan_id"
    case .operatingSystem: "os_id"
    case .location: "location"
    case .hostname: "hostname"
    case .sshKey: "ssh_key_id"
    case .sshKeys: "ssh_keys"
    case .publicKey: "public_key"
    case .permissions: "permissions"
    case .expiry: "expires_at"
    case .server: "server_id"
    case .description: "description"
    case .email: "email"
    case .password: "password"
    case .currentPassword: "current_password"
    case .code: "code"
    case .start: "start"
    case .step: "step"
    case .userData: "user_data"
    case .amount: "amount"
    case .note: "note"
    case .reason: "reason"
    case .address: "ip_address"
    case .reverseName: "ptr"
    }
  }
}
