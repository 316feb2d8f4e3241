import Core

struct BulgarianNoticeWords: NoticeWords {
  let greeting = "Здравейте,"
  let closing = "Това съобщение е изпратено автоматично до адреса на акаунта."

  func others(_ count: Int) -> String { "и още \(count)" }

  func subject(of notice: Notice) -> String {
    let count = notice.facts.entryCount
    func servers(_ one: String, _ many: String) -> String { count == 1 ? one : "\(count) \(many)" }
    return switch notice.kind {
    case .creditLow: "Кредитът Ви стига за по-малко от \(hours(notice.facts))"
    case .accountSuspended: "Акаунтът Ви е спрян"
    case .accountResumed: "Акаунтът Ви вече не е спрян"
    case .deletionNear: "Сървърите Ви скоро ще бъдат изтрити"
    case .serversDeleted: servers("Изтрит е сървър поради липса на кредит", "сървъра са изтрити поради липса на кредит")
    case .serversSuspended: servers("Спрян е сървър", "сървъра са спрени")
    case .serversResumed: servers("Сървър вече не е спрян", "сървъра вече не са спрени")
    case .serversFailed: servers("Проблем със сървър", "сървъра имат проблем")
    case .serversThrottled:
      servers("Сървър е с ограничена скорост до края на месеца", "сървъра са с ограничена скорост до края на месеца")
    case .backupsFailed: count == 1 ? "Неуспешно резервно копие" : "Неуспешни резервни копия на \(count) сървъра"
    case .loginLink: "Връзка за вход"
    case .test: "Проба"
    }
  }

  func paragraphs(of notice: Notice, account: String, currency: String) -> [String] {
    let facts = notice.facts
    return switch notice.kind {
    case .creditLow:
      [
        "Акаунтът \(account) разполага с \(amount(facts.balance, currency)), а сървърите му струват "
          + "\(amount(facts.hourlyCost, currency)) на час. Това стига за по-малко от \(hours(facts)).",
        "Когато даден час не може да бъде платен, всички сървъри на акаунта се изключват. Моля, добавете кредит преди това.",
      ]
    case .accountSuspended: suspended(notice, account)
    case .accountResumed: resumed(facts, account)
    case .deletionNear:
      [
        "Кредитът на акаунта \(account) е изчерпан. На \(time(facts.deletionAt)) всичките му сървъри ще бъдат изтрити "
          + "заедно с дисковете, резервните копия и снимките им. След това те не могат да бъдат възстановени.",
        "За да ги запазите, добавете кредит преди това.",
      ]
    case .serversDeleted:
      [
        "Акаунтът \(account) беше без кредит твърде дълго. Следните му сървъри бяха изтрити заедно с дисковете, "
          + "резервните копия и снимките им:"
      ] + list(facts)
    case .serversSuspended:
      ["Следните сървъри на акаунта \(account) са спрени от оператора и се изключват:"] + list(facts)
    case .serversResumed:
      ["Следните сървъри на акаунта \(account) вече не са спрени от оператора:"] + list(facts)
    case .serversFailed:
      ["Следните сървъри на акаунта \(account) са в състояние error:"] + list(facts) + [
        "Стартирайте сървъра отново, възстановете го от копие или го преинсталирайте. Ако това не помогне, пишете на оператора."
      ]
    case .serversThrottled:
      [
        "Следните сървъри на акаунта \(account) надхвърлиха трафика, който плановете им включват за месеца. Скоростта на мрежата им "
          + "е ограничена до края на месеца или докато не получат план с повече трафик:"
      ] + list(facts)
    case .backupsFailed:
      ["Резервните копия на следните сървъри на акаунта \(account) са неуспешни:"] + list(facts) + [
        "По-старите копия са запазени. Следващото автоматично копие ще бъде направено в обичайното време."
      ]
    case .loginLink:
      [
        "Някой, може би Вие, е посочил в панела, че паролата на акаунта \(account) е забравена. Който отвори връзката по-долу до "
          + "един час, влиза еднократно и може да зададе нова парола; тогава старата вече не важи. Ако не сте били Вие, "
          + "не отваряйте връзката: нищо няма да се промени."
      ]
    case .test: ["Това е проба: съобщенията за акаунта \(account) пристигат."]
    }
  }

  private func hours(_ facts: Notice.Facts) -> String {
    facts.hoursLeft == 1 ? "един час" : "\(facts.hoursLeft ?? 0) часа"
  }

  private func suspended(_ notice: Notice, _ account: String) -> [String] {
    let facts = notice.facts
    guard facts.cause == .credit else {
      return [
        "Акаунтът \(account) е спрян от оператора в \(time(notice.at)). Всичките му сървъри се изключват и нищо в него не "
          + "може да бъде променяно."
      ] + (facts.reason.map { ["Причина от оператора: \($0)"] } ?? [])
    }
    return [
      "Кредитът на акаунта \(account) е изчерпан от \(time(notice.at)). Всичките му сървъри се изключват.",
      "Щом има кредит за един час на всички тях, те се връщат в предишното си състояние. В противен случай ще бъдат изтрити на "
        + "\(time(facts.deletionAt)) заедно с дисковете, резервните копия и снимките им.",
    ]
  }

  private func resumed(_ facts: Notice.Facts, _ account: String) -> [String] {
    let over =
      facts.cause == .credit
      ? "Акаунтът \(account) вече има кредит." : "Акаунтът \(account) вече не е спрян от оператора."
    let rest =
      switch facts.remainingCause {
      case .credit?: "Кредитът му обаче е изчерпан: сървърите остават изключени, докато не бъде добавен кредит."
      case .operator?: "Той обаче е спрян от оператора: сървърите остават изключени."
      case nil: "Сървърите му се връщат в предишното си състояние."
      }
    return [over + " " + rest]
  }
}
