import HTML
import HTTPTypes

/// One page, without what surrounds all of them.
struct Page: Sendable {
  var status: HTTPResponse.Status = .ok
  let title: String
  var section: Section?
  /// Where it can be asked for again, where it is the answer to a form; nil for where it was asked for.
  var path: String?
  var headers: HTTPFields = [:]
  /// Whether something is on its way, so that who has no script should look again soon.
  var isMoving = false
  let content: HTML

  /// - Parameter isRefused: Whether it shows a form again that something is wrong with.
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

  /// What the menu leads to.
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
