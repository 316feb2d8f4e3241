import Core
import HTML

/// Asks for confirmation of something that cannot be undone, and says what is lost.
struct ConfirmationPage {
  let title: String
  /// What is lost.
  let text: String
  let action: Phrase
  /// The path to which the confirmation is posted.
  let path: String
  /// The path for `Cancel`, and after success.
  let backPath: String
  let section: Page.Section

  func page(_ visit: Visit, errors: FormErrors = FormErrors()) -> Page {
    Page(isRefused: !errors.isEmpty, title: title, section: section) { html in
      html.element("div", ["class": "narrow"]) { html in
        html.element("h1", text: title)
        html.element("p", text: text)
        FormWriter(visit: visit, errors: errors).write(&html, to: path, class: "stack") { html in
          html.element("div", ["class": "actions"]) { html in
            html.element("button", ["class": "danger"], text: visit.words(action))
            html.element("a", ["class": "button", "href": backPath], text: visit.words(.cancel))
          }
        }
      }
    }
  }

  /// Runs the body and goes to `backPath`, or shows on the same page why it cannot be done.
  func carryOut(_ visit: Visit, _ body: () async throws -> Void) async throws -> Answer {
    do {
      try await body()
      return .redirect(backPath)
    } catch let failure as Failure {
      guard let errors = FormErrors(failure, visit.words) else { throw failure }
      return .page(page(visit, errors: errors))
    }
  }
}
