import APIClient

/// Replaces the names of fields in errors by the options that set them.
enum OptionErrors {
  private static let names = [
    "plan_id": "--plan", "plan": "--plan", "os_id": "--os", "location": "--location", "ssh_key_id": "--ssh-key",
    "ssh_keys": "--ssh-key", "hostname": "--hostname", "backups_enabled": "--backups", "name": "--name",
    "labels": "--label", "user_data": "--user-data", "label_selector": "--selector",
    "delete_protection": "--delete-protection", "description": "--description", "permissions": "--permission",
    "expires_at": "--expires-at", "ip_address": "--ip", "ptr": "--hostname",
  ]

  static func line(_ field: APIError.Field) -> String {
    let option = names[field.name].map { "\($0) (\(field.name))" } ?? field.name
    return "\(option): \(field.messages.joined(separator: " "))"
  }

  static func naming<Value>(_ body: () async throws -> Value) async throws -> Value {
    do {
      return try await body()
    } catch let error as APIError where !error.fields.isEmpty {
      throw Refusal(.refused, error.fields.map(line))
    }
  }
}
