import Core
import Engine
import HTML

/// The rescue system of a server, and new passwords for the server.
struct RescuePages {
  /// The choice of no key in the list of keys.
  private static let noKey = "password"

  let useCases: UseCases

  var routes: [PanelRoute] {
    [
      .get("/servers/{id}/rescue") { visit in .page(try await page(visit, FormErrors())) },
      .post("/servers/{id}/rescue", enter),
      .get("/servers/{id}/leave-rescue") { visit in .page(try await leaving(visit).page(visit)) },
      .post("/servers/{id}/leave-rescue") { visit in
        let id: ID<Server> = try visit.id()
        return try await leaving(visit).carryOut(visit) { _ = try await useCases.servers.leaveRescue(id, visit.caller) }
      },
      .get("/servers/{id}/reset-password") { visit in .page(try await resetting(visit).page(visit)) },
      .post("/servers/{id}/reset-password", resetPassword),
    ]
  }

  @Sendable private func enter(_ visit: Visit) async throws -> Answer {
    let id: ID<Server> = try visit.id()
    do {
      var draft = Servers.RescueDraft()
      if let choice = visit.form.choice("ssh_key"), choice != Self.noKey {
        draft.sshKeys = KeyChoice(Reference(choice) ?? .id(ID(-1)))
      }
      let rescue = try await useCases.servers.rescue(id, draft, visit.caller)
      guard let password = rescue.rootPassword else { return .redirect(ServerPages.path(id)) }
      return .page(
        SecretPage(
          title: visit.words(.rescueSystem), text: visit.words(.rootPasswordOnce("root")), secret: password,
          nextPath: ServerPages.path(id), section: .servers
        ).page(visit))
    } catch let failure as Failure {
      guard let errors = FormErrors(failure, visit.words) else { throw failure }
      return .page(try await page(visit, errors))
    }
  }

  private func page(_ visit: Visit, _ errors: FormErrors) async throws -> Page {
    let id: ID<Server> = try visit.id()
    let (view, _) = try await useCases.servers.read(id, visit.caller)
    let keys = try await SSHKeyPages.list(useCases.sshKeys, visit.caller).elements
    let words = visit.words
    return Page(
      isRefused: !errors.isEmpty, title: words(.rescueSystem), section: .servers,
      path: ServerPages.path(id, "/rescue")
    ) { html in
      ServerHeader(view: view, tab: nil).write(&html, words)
      html.element("h2", text: words(.rescueSystem))
      html.element("p", text: words(.rescueHint))
      let writer = FormWriter(visit: visit, form: visit.form, errors: errors)
      writer.write(&html, to: ServerPages.path(id, "/rescue"), class: "stack") { html in
        writer.choice(
          &html, "ssh_key", words(.sshKey),
          keys.map { (value: "\($0.id)", label: $0.name) } + [(Self.noKey, words(.passwordInstead))])
        writer.submit(&html, .bootRescue)
      }
    }
  }

  private func leaving(_ visit: Visit) async throws -> ConfirmationPage {
    let (view, _) = try await useCases.servers.read(try visit.id(), visit.caller)
    let path = ServerPages.path(view.server.id)
    return ConfirmationPage(
      title: visit.words(.leaveRescue), text: visit.words(.leaveRescueHint), action: .leaveRescue,
      path: path + "/leave-rescue", backPath: path, section: .servers)
  }

  private func resetting(_ visit: Visit) async throws -> ConfirmationPage {
    let (view, _) = try await useCases.servers.read(try visit.id(), visit.caller)
    let path = ServerPages.path(view.server.id)
    return ConfirmationPage(
      title: visit.words(.resetPassword), text: visit.words(.resetPasswordHint), action: .resetPassword,
      path: path + "/reset-password", backPath: path, section: .servers)
  }

  @Sendable private func resetPassword(_ visit: Visit) async throws -> Answer {
    let (view, _) = try await useCases.servers.read(try visit.id(), visit.caller)
    do {
      let password = try await useCases.servers.resetPassword(of: view.server.id, visit.caller)
      return .page(
        SecretPage(
          title: visit.words(.resetPassword),
          text: visit.words(.rootPasswordOnce(view.operatingSystem.username)), secret: password,
          nextPath: ServerPages.path(view.server.id), section: .servers
        ).page(visit))
    } catch let failure as Failure {
      guard let errors = FormErrors(failure, visit.words) else { throw failure }
      return .page(try await resetting(visit).page(visit, errors: errors))
    }
  }
}
