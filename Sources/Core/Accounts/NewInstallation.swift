/// The first content of an empty store.
package struct NewInstallation: Sendable {
  package let catalogue: Catalogue
  package let email: String
  package let openingCredit: Money
  package let tokenName: String
  package let tokenHash: TokenHash
  /// Whether the first account is the operator's own.
  package let isOperator: Bool

  package init(
    catalogue: Catalogue, email: String, openingCredit: Money, tokenName: String, tokenHash: TokenHash,
    isOperator: Bool = false
  ) {
    self.catalogue = catalogue
    self.email = email
    self.openingCredit = openingCredit
    self.tokenName = tokenName
    self.tokenHash = tokenHash
    self.isOperator = isOperator
  }
}
