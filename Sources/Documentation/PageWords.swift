/// The page's own words in one language; all other text comes from the document.
package struct PageWords: Sendable {
  /// The language as an HTML tag: `en`.
  let tag: String
  let ownName: String
  let contents: String
  let showContents: String
  let samplesIn: String
  let needsNoToken: String
  let needsAnyToken: String
  /// Followed by a permission.
  let needsTokenWith: String
  let inThePath: String
  let inTheQuery: String
  let headers: String
  let fieldsOfTheBody: String
  let fields: String
  let required: String
  let unlimited: String
  /// Followed by a status.
  let whatIsHeldBy: String
  let errors: String
  let rules: Rules
  let types: Types
  /// Titles of groups, by the path segments of the group (see `DocumentedAPI.groups`); a group without one is titled by
  /// those.
  let groups: [String: String]

  /// The rules for values, in which each % stands for a value.
  struct Rules: Sendable {
    let oneOf: String
    let characters: String
    let elements: String
    let span: String
    let least: String
    let most: String
    let pattern: String
    let standard: String
  }

  struct Types: Sendable {
    let names: [String: (one: String, many: String)]
    let or: String

    /// A type without a translation, such as a format, keeps its name.
    func one(_ name: String) -> String { names[name]?.one ?? name }
    func many(_ name: String) -> String { names[name]?.many ?? name }
  }
}

extension PageWords {
  package static let english = PageWords(
    tag: "en", ownName: "English", contents: "Contents", showContents: "Show the contents", samplesIn: "Samples in",
    needsNoToken: "Needs no token.", needsAnyToken: "Needs a token, whatever it may do.",
    needsTokenWith: "Needs a token with", inThePath: "In the path", inTheQuery: "In the query", headers: "Headers",
    fieldsOfTheBody: "Fields of the body", fields: "Fields", required: "required", unlimited: "unlimited",
    whatIsHeldBy: "What is in the",
    errors: "Errors",
    rules: Rules(
      oneOf: "One of %.", characters: "characters", elements: "elements", span: "% to %", least: "At least %",
      most: "At most %", pattern: "Matches %.", standard: "% if left out."),
    types: Types(
      names: [
        "string": ("string", "strings"), "integer": ("integer", "integers"), "number": ("number", "numbers"),
        "boolean": ("boolean", "booleans"), "object": ("object", "objects"), "date-time": ("date-time", "date-times"),
        "date": ("date", "dates"), "uuid": ("uuid", "uuids"), "array of": ("array of", "arrays of"),
      ], or: "or"),
    groups: [
      "operator/accounts": "Operator: accounts", "operator/servers": "Operator: servers",
      "operator/plans": "Operator: plans", "operator/operating-systems": "Operator: operating systems",
      "operator/locations": "Operator: locations", "operator/hosts": "Operator: hosts",
      "operator/images": "Operator: images", "operator/audit": "Operator: audit",
    ])

  package static let bulgarian = PageWords(
    tag: "bg", ownName: "Български", contents: "Съдържание", showContents: "Показване на съдържанието",
    samplesIn: "Примери на", needsNoToken: "Не изисква токен.",
    needsAnyToken: "Изисква токен, независимо какви права има.", needsTokenWith: "Изисква токен с право",
    inThePath: "Параметри на пътя", inTheQuery: "Параметри на заявката", headers: "Хедъри",
    fieldsOfTheBody: "Параметри на тялото", fields: "Полета", required: "задължително", unlimited: "без ограничение",
    whatIsHeldBy: "Какво съдържа отговорът", errors: "Грешки",
    rules: Rules(
      oneOf: "Едно от: %.", characters: "знака", elements: "елемента", span: "От % до %", least: "Най-малко %",
      most: "Най-много %", pattern: "По образеца %.", standard: "% по подразбиране."),
    types: Types(
      names: [
        "string": ("низ", "низове"), "integer": ("цяло число", "цели числа"), "number": ("число", "числа"),
        "boolean": ("булево", "булеви"), "object": ("обект", "обекти"),
        "date-time": ("дата и час", "дати с час"), "date": ("дата", "дати"), "array of": ("масив от", "масиви от"),
      ], or: "или"),
    groups: [
      "servers": "Сървъри", "backups": "Резервни копия", "snapshots": "Моментни снимки", "plans": "Планове",
      "operating-systems": "Операционни системи", "locations": "Местоположения", "ssh-keys": "SSH ключове",
      "tokens": "Токени", "account": "Акаунт", "events": "Събития", "openapi.json": "Този документ",
      "operator/accounts": "За оператори: акаунти", "operator/servers": "За оператори: сървъри",
      "operator/plans": "За оператори: планове", "operator/operating-systems": "За оператори: операционни системи",
      "operator/locations": "За оператори: местоположения", "operator/hosts": "За оператори: хостове",
      "operator/images": "За оператори: образи", "operator/audit": "За оператори: дневник",
    ])

  package static let all = [english, bulgarian]
}
