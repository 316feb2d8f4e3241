package import Core

/// What an operator's program can do with customers' servers that a customer cannot.
extension Servers {
  /// The servers as their customers see them.
  package func views(of page: Page<ServerListing>) async throws -> Page<(view: View, owner: ServerListing)> {
    let catalogue = try await catalogueReader.catalogue()
    return try page.map { listing in (try view(listing.server, in: catalogue), listing) }
  }

  /// Returns the account if a server can be made for it; otherwise nil, with the reason added to the errors.
  package static func owner(_ account: Account?, id: Int64, _ errors: inout FieldErrors) -> Account? {
    guard let account else {
      errors.add(.account, ServerFields.unknownKey(id))
      return nil
    }
    if account.closedAt != nil {
      errors.add(.account, "This account is closed.")
    } else if account.suspension.byOperatorSince != nil {
      errors.add(.account, "This account is suspended.")
    } else {
      return account
    }
    return nil
  }
}
