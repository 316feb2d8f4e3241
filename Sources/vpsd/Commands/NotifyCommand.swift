import API
import ArgumentParser
import Core
import Engine
import Foundation
import SQLStore

struct NotifyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "notify", abstract: "What owners of accounts are told, and whether it arrives.",
    subcommands: [Test.self, List.self])

  struct Test: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Send a notice to an address, by what is configured as `notify`, and say whether it was taken over.")

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "The address to send it to.") var email: String
    @Option(help: "In which language: en or bg.") var language = Language.english

    func validate() throws {
      guard EmailAddress(email) != nil else { throw ValidationError("\(email.quoted): no e-mail address in ASCII.") }
    }

    func run() async throws {
      let configuration = try options.load()
      guard let receiver = try configuration.notify.receiver() else {
        throw Refusal.refused("Nothing is configured that could send it: see the key notify.")
      }
      let now = SystemClock().now
      let notice = Notice(.test, at: now)
      let text = NoticeText(of: notice, for: email, in: language, currency: configuration.tariff.currency)
      let letter = NoticeLetter(
        uuid: UUID(), notice: notice, account: ID(0), recipient: email, language: language, subject: text.subject,
        text: text.text, writtenAt: now)
      do {
        try await receiver.deliver(letter)
      } catch let error as UndeliveredNotice {
        throw Undelivered(description: "It was not taken over: \(error.reason).")
      }
      output.tell("A notice to \(email) was taken over.", TestRecord(id: letter.uuid, email: email, language: language))
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the notices of the last 30 days, newest first, with what kept them from being delivered.")

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions
    @Option(help: "Only those that are waiting, delivered or given-up.") var state: NoticeState?

    func run() async throws {
      let store = try await options.openDatabase()
      try await output.list { (last: NoticeLine?, limit: Int) in
        try await store.notices(state, before: last?.record.id, limit: limit).map(NoticeLine.init)
      }
    }
  }
}

extension NoticeState: ExpressibleByArgument {}

private struct Undelivered: Error, CustomStringConvertible {
  let description: String
}

private struct TestRecord: Record {
  let id: UUID
  let email: String
  let language: Language

  static let headings = ["ID", "E-MAIL", "LANGUAGE"]
  var cells: [String] { [id.text, email, language.rawValue] }

  func write(_ writer: inout JSONWriter) {
    writer.field("id", id)
    writer.field("email", email)
    writer.field("language", language.rawValue)
  }
}

private struct NoticeLine: Record {
  let record: NoticeRecord

  static let headings = ["ID", "AT", "ACCOUNT", "KIND", "STATE", "TRIES", "LAST FAILURE"]

  private var state: NoticeState {
    record.finishedAt == nil ? .waiting : record.isGivenUp ? .givenUp : .delivered
  }

  var cells: [String] {
    [
      "\(record.id)", record.notice.at.displayed, record.email, record.notice.kind.rawValue, state.rawValue,
      "\(record.attempts)", record.failure ?? "",
    ]
  }

  func write(_ writer: inout JSONWriter) {
    writer.field("id", record.id.value)
    writer.field("uuid", record.uuid)
    writer.field("at", record.notice.at)
    writer.field("account_id", record.account.value)
    writer.field("email", record.email)
    writer.field("kind", record.notice.kind.rawValue)
    writer.field("state", state.rawValue)
    writer.field("attempts", record.attempts)
    writer.field("finished_at", record.finishedAt)
    writer.field("failure", record.failure)
  }
}
