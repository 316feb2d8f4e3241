import HTML
import HTTPTypes

/// One page, without the frame around it.
struct Page: Sendable {
  var status: HTTPResponse.Status = .ok
  let title: String
  var section: Section?
  /// The path at which the page can be requested again if it is the answer to a form; nil for the requested path.
  var path: String?
  var headers: HTTPFields = [:]
  /// Whether the page shows something in transition, so that browsers without a script reload it soon.
  var isMoving = false
  let content: HTML

  /// - Parameter isRefused: Whether the page shows a form again because of errors.
  init(
    status: HTTPResponse.Status = .ok, isRefused: Bool = false, title: String, section: Section?, path: String? = nil,
    isMoving: Bool = false,
    _ write: (inout HTML) -> Void
  ) {
    self.status = isRefused ? .badRequest : status
    self.title = title
    self.section = section
    self.path = path
    self.isMoving = isMoving
    var html = HTML()
    write(&html)
    content = html
  }

  /// The entries of the menu.
  enum Section: CaseIterable, Sendable {
    case servers
    case sshKeys
    case tokens
    case billing
    case account
    case `operator`

    var path: String {
      switch self {
      case .servers: "/servers"
      case .sshKeys: "/ssh-keys"
      case .tokens: "/tokens"
      case .billing: "/billing"
      case .account: "/account"
      case .operator: OperatorFrame.path
      }
    }

    var phrase: Phrase {
      switch self {
      case .servers: .servers
      case .sshKeys: .sshKeys
      case .tokens: .tokens
      case .billing: .billing
      case .account: .account
      case .operator: .operator
      }
    }
  }
}
