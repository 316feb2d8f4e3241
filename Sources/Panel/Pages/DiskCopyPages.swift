import Core
import Engine
import HTML

/// The backups and snapshots of a server.
struct DiskCopyPages {
  let useCases: UseCases

  var routes: [PanelRoute] {
    [
      .get("/servers/{id}/copies") { visit in .page(try await page(visit, FormErrors())) },
      .post("/servers/{id}/snapshots") { try await create(.snapshot, $0) },
      .post("/servers/{id}/backups") { try await create(.backup, $0) },
    ]
      + DiskCopy.Family.allCases.flatMap { family in
        let path = "/servers/{id}/\(family.word)s/{copy}"
        return [
          PanelRoute.get(path + "/restore") { visit in
            .page(try await confirmation(family, isRestore: true, visit).page(visit))
          },
          .post(path + "/restore") { visit in
            let id: ID<DiskCopy> = try visit.id("copy")
            return try await confirmation(family, isRestore: true, visit).carryOut(visit) {
              _ = try await copies(family).restore(id, visit.caller)
            }
          },
          .get(path + "/delete") { visit in
            .page(try await confirmation(family, isRestore: false, visit).page(visit))
          },
          .post(path + "/delete") { visit in
            let id: ID<DiskCopy> = try visit.id("copy")
            return try await confirmation(family, isRestore: false, visit).carryOut(visit) {
              try await copies(family).delete(id, visit.caller)
            }
          },
        ]
      }
  }

  private func copies(_ family: DiskCopy.Family) -> DiskCopies {
    family == .backup ? useCases.backups : useCases.snapshots
  }

  private func create(_ family: DiskCopy.Family, _ visit: Visit) async throws -> Answer {
    let id: ID<Server> = try visit.id()
    var errors = FormErrors()
    if family == .snapshot { errors.require(["name"], in: visit.form, visit.words) }
    guard errors.isEmpty else { return .page(try await page(visit, errors)) }
    do {
      let draft = DiskCopies.Draft(
        server: .id(id), name: visit.form["name"], description: visit.form["description"])
      _ = try await copies(family).create(draft, visit.caller)
      return .redirect(ServerPages.path(id, "/copies"))
    } catch let failure as Failure {
      guard let errors = FormErrors(failure, visit.words) else { throw failure }
      return .page(try await page(visit, errors))
    }
  }

  private func page(_ visit: Visit, _ errors: FormErrors) async throws -> Page {
    let id: ID<Server> = try visit.id()
    let (view, _) = try await useCases.servers.read(id, visit.caller)
    let (words, caller) = (visit.words, visit.caller)
    let newest = PageRequest(.number(1), size: 200)
    let order = [ListOrder(DiskCopyKey.createdAt, isDescending: true)]
    let snapshots = try await useCases.snapshots.list(.init(serverID: id), order: order, page: newest, caller)
    let backups = try await useCases.backups.list(.init(serverID: id), order: order, page: newest, caller)
    let isMoving = (snapshots.elements + backups.elements).contains { $0.status == .pending }
    return Page(
      isRefused: !errors.isEmpty, title: view.server.name.name, section: .servers,
      path: ServerPages.path(id, "/copies"), isMoving: isMoving
    ) { html in
      ServerHeader(view: view, tab: .copies).write(&html, words)
      html.element("h2", text: words(.snapshots))
      html.element("p", ["class": "hint"], text: words(.snapshotsHint))
      table(&html, .snapshot, snapshots.elements, id, words)
      html.cut(snapshots, words)
      let writer = FormWriter(visit: visit, form: visit.form, errors: errors)
      writer.write(&html, to: ServerPages.path(id, "/snapshots"), class: "row") { html in
        writer.text(&html, "name", words(.name), limit: CopyName.maximumLength, isRequired: true)
        writer.text(&html, "description", words(.note))
        writer.submit(&html, .createSnapshot)
      }
      html.element("h2", text: words(.backups))
      html.element(
        "p", ["class": "hint"], text: words(view.server.isBackupEnabled ? .backupsAreDaily : .backupsAreOff))
      table(&html, .backup, backups.elements, id, words)
      html.cut(backups, words)
      FormWriter(visit: visit).button(&html, .createBackup, to: ServerPages.path(id, "/backups"))
    }
  }

  private func table(
    _ html: inout HTML, _ family: DiskCopy.Family, _ copies: [DiskCopy], _ server: ID<Server>, _ words: Words
  ) {
    html.element("div", ["id": "\(family.word)s"], flags: ["data-live"]) { html in
      guard !copies.isEmpty else { return html.element("p", text: words(.noneYet)) }
      html.element("div", ["class": "scroll", "tabindex": "0"]) { html in
        html.element("table", ["class": "list"]) { html in
          html.headings([.name, .status, .size, .createdAt, .expiresAt, .actions], words)
          html.element("tbody") { html in for copy in copies { row(&html, family, copy, server, words) } }
        }
      }
    }
  }

  private func row(
    _ html: inout HTML, _ family: DiskCopy.Family, _ copy: DiskCopy, _ server: ID<Server>, _ words: Words
  ) {
    let path = ServerPages.path(server, "/\(family.word)s/\(copy.id)")
    html.element("tr") { html in
      html.element("td") { html in
        html.element("span", text: copy.name?.name ?? words(copy.kind == .automatic ? .automatic : .manual))
        if !copy.description.isEmpty { html.element("span", ["class": "sub"], text: copy.description) }
      }
      html.element("td") { html in
        html.element("span", ["class": "status \(copy.status.rawValue)"]) { html in
          html.element("span", ["class": "dot"], text: "")
          html.element("span", text: copy.status.rawValue)
        }
        if let reason = copy.statusReason { html.element("span", ["class": "sub"], text: reason) }
      }
      html.element("td", ["class": "number"], text: copy.sizeMB.map { "\($0) MB" } ?? "–")
      html.element("td") { $0.time(copy.createdAt) }
      html.element("td") { html in
        if let time = copy.expiresAt { html.time(time) } else { html.write("–") }
      }
      html.element("td", ["class": "end"]) { html in
        if copy.status == .completed { html.element("a", ["href": path + "/restore"], text: words(.restore)) }
        html.write(" ")
        html.element("a", ["href": path + "/delete"], text: words(.delete))
      }
    }
  }

  private func confirmation(
    _ family: DiskCopy.Family, isRestore: Bool, _ visit: Visit
  ) async throws -> ConfirmationPage {
    let server: ID<Server> = try visit.id()
    let copy = try await copies(family).read(try visit.id("copy"), visit.caller)
    guard copy.serverID == server else { throw Failure.notFound }
    let (words, path) = (visit.words, ServerPages.path(server, "/\(family.word)s/\(copy.id)"))
    let name = copy.name?.name ?? Words.time(copy.createdAt)
    return ConfirmationPage(
      title: words(isRestore ? .restoreCopy(name) : .deleteCopy(name)),
      text: words(isRestore ? .restoreCopyHint(copy.serverName.name) : .deleteCopyHint),
      action: isRestore ? .restore : .delete, path: path + (isRestore ? "/restore" : "/delete"),
      backPath: isRestore ? ServerPages.path(server) : ServerPages.path(server, "/copies"), section: .servers)
  }
}

extension DiskCopy.Family {
  /// The word in the panel's paths.
  fileprivate var word: String {
    switch self {
    case .backup: "backup"
    case .snapshot: "snapshot"
    }
  }
}
