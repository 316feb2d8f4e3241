extension Phrase {
  // For operators.
  static let `operator` = Phrase("Operator", "Оператор")
  static let operatorPages = Phrase("Operator's pages", "Страници на оператора")
  static let accounts = Phrase("Accounts", "Акаунти")
  static let hosts = Phrase("Hosts", "Хостове")
  static let systems = Phrase("Images and systems", "Образи и системи")
  static let audit = Phrase("Audit", "Одит")
  static let operatorWithoutFactor = Phrase(
    "This account has no second factor: whoever learns its password or reads its mail can do all that is here.",
    "Този акаунт няма втори фактор: който научи паролата му или чете пощата му, може да прави всичко тук.")
  static let toAccount = Phrase("Set it up at Account.", "Включете го в „Акаунт“.")
  static let firstPage = Phrase("First page", "Първа страница")
  static let nothingFound = Phrase("There is nothing here.", "Тук няма нищо.")
  static let yes = Phrase("yes", "да")
  static let no = Phrase("no", "не")

  // Accounts.
  static let searchAccounts = Phrase("Beginning of the e-mail, or number", "Начало на имейла или номер")
  static let accountNamed = Phrase("Account: e-mail or number", "Акаунт: имейл или номер")
  static let createAccount = Phrase("Create account", "Създаване")
  static let createAnAccount = Phrase("Create an account", "Създаване на акаунт")
  static let createAccountHint = Phrase(
    "Then a link is shown that signs its owner in.", "След това се показва връзка за вход на собственика.")
  static let firstName = Phrase("First name", "Име")
  static let lastName = Phrase("Last name", "Фамилия")
  static let languageOfNotices = Phrase("Language of notices", "Език на известията")
  static let openingCredit = Phrase("Opening credit", "Начален кредит")
  static func openingCreditHint(_ currency: String) -> Phrase {
    Phrase("In \(currency). None, if left out.", "В \(currency). Без сума: никакъв.")
  }
  static let accountNumber = Phrase("Number", "Номер")
  static let accountIsOpen = Phrase("open", "активен")
  static let accountIsSuspended = Phrase("suspended", "спрян")
  static let accountIsOutOfCredit = Phrase("out of credit", "без кредит")
  static let accountIsClosed = Phrase("closed", "закрит")
  static let isOperator = Phrase("operator", "оператор")
  static let operatorsAreForTheHost = Phrase(
    "An operator's account is changed on the host only, with vpsd account. Its credit and its servers are like anybody's.",
    "Акаунт на оператор се променя само на хоста, с vpsd account. Кредитът и сървърите му са като на всички останали.")
  static let makeLoginLink = Phrase("Make a login link", "Връзка за вход")
  static func loginLinkOnce(_ email: String) -> Phrase {
    Phrase(
      "Whoever opens this link within ten minutes is signed in as \(email), once. It is shown this once.",
      "Който отвори тази връзка до десет минути, влиза като \(email), веднъж. Тя се показва само сега.")
  }
  static let changeProfile = Phrase("Change profile", "Промяна на профила")
  static let otherEmailHint = Phrase(
    "Another one is what its owner signs in with from then on.", "С новия имейл собственикът влиза оттук нататък.")
  static let mail = Phrase("Mail", "Поща")
  static let mayMail = Phrase(
    "Its servers may open connections to port 25", "Сървърите му могат да отварят връзки към порт 25")
  static let suspend = Phrase("Suspend", "Спиране на достъпа")
  static let liftSuspension = Phrase("Lift suspension", "Отмяна на спирането")
  static func suspendQuestion(_ name: String) -> Phrase { Phrase("Suspend \(name)?", "Спиране на \(name)?") }
  static func suspendAccountHint(_ servers: Int) -> Phrase {
    Phrase(
      "All its servers (\(servers)) are shut down within seconds, and it can change nothing. No data is lost: they come back when the suspension is lifted.",
      "Всичките му сървъри (\(servers)) се изключват до секунди и той не може да променя нищо. Данни не се губят: те се връщат, щом спирането се отмени."
    )
  }
  static let accountReasonHint = Phrase("For the customer to read.", "Клиентът го чете.")
  static let suspendedSince = Phrase("Suspended since", "Спрян от")
  static let outOfCreditSince = Phrase("Out of credit since", "Без кредит от")
  static let serversAreDeletedAt = Phrase("Servers are deleted", "Сървърите се изтриват")
  static let closedAt = Phrase("Closed", "Закрит")
  static let addCredit = Phrase("Add credit", "Добавяне на кредит")
  static func amountHint(_ currency: String) -> Phrase {
    Phrase("In \(currency), such as 10 or 0.10.", "В \(currency), например 10 или 0.10.")
  }
  static let amountRule = Phrase(
    "Enter an amount above 0, such as 10 or 0.10, with six decimal places at most.",
    "Въведете сума над 0, например 10 или 0.10, с най-много шест знака след точката.")
  static let noteHint = Phrase("For the customer to read in the ledger.", "Клиентът го чете в движенията.")
  static let allServersOfAccount = Phrase("All its servers", "Всичките му сървъри")

  // Servers.
  static let allServers = Phrase("All servers", "Всички сървъри")
  static let searchAllServers = Phrase("Beginning of the name, or number", "Начало на името или номер")
  static let serverNumbered = Phrase("Server: number", "Сървър: номер")
  static let host = Phrase("Host", "Хост")
  static let anyHost = Phrase("all hosts", "всички хостове")
  static let isBeingDeleted = Phrase("is being deleted", "изтрива се")
  static let failure = Phrase("Failure", "Повреда")
  static let suspendedByOperator = Phrase("Suspended by the operator", "Спрян от оператора")
  static let imageVersion = Phrase("Version of its image", "Версия на образа")
  static let operatorOrService = Phrase("the service, or an operator", "услугата или оператор")
  static let suspendServerHint = Phrase(
    "It is shut down within seconds and stays off; its customer can rename or delete it, but not run it. No data is lost.",
    "Изключва се до секунди и остава изключен; клиентът може да го преименува или изтрие, но не и да го пусне. Данни не се губят."
  )
  static let serverReasonHint = Phrase("Kept with the server and in the audit.", "Пази се при сървъра и в одита.")
  static func deleteServerOf(_ name: String, _ email: String) -> Phrase {
    Phrase("Delete \(name) of \(email)?", "Изтриване на \(name) на \(email)?")
  }
  static let customerHasProtectedIt = Phrase(
    "Its customer has protected it from deletion; that does not keep an operator from it.",
    "Клиентът го е защитил от изтриване; това не спира оператор.")

  // Hosts.
  static let hostsHint = Phrase(
    "What servers have reserved of what each host carries.", "Колко от капацитета на всеки хост е заето от сървъри.")
  static let allOtherLocations = Phrase("all other locations", "всички други местоположения")
  static let virtualProcessors = Phrase("vCPU", "vCPU")
  static let awaySince = Phrase("away since", "недостъпен от")
  static let isNotConfigured = Phrase("not configured any more", "вече не е в конфигурацията")
  static let hostIsActive = Phrase("active", "работи")
  static let hostIsDraining = Phrase("takes no more servers", "не приема нови сървъри")
  static let hostIsAway = Phrase("away", "недостъпен")
  static let hostIsFencing = Phrase("away, is being switched off", "недостъпен, изключва се")
  static let hostIsFenced = Phrase("off, its servers go to others", "изключен, сървърите му минават на други")
  static let isNotSwitchedOff = Phrase("is not switched off", "не е изключен")
  static let drain = Phrase("Take no more servers", "Без нови сървъри")
  static let undrain = Phrase("Take servers again", "Отново да приема сървъри")

  // Images and systems.
  static let image = Phrase("Image", "Образ")
  static let loginName = Phrase("User", "Потребител")
  static let versionsInUse = Phrase("Versions in use", "Използвани версии")
  static let isOffered = Phrase("offered", "предлага се")
  static let isRetired = Phrase("retired", "оттеглена")
  static let systemsHint = Phrase("They are changed on the host:", "Променят се на хоста:")

  // Audit.
  static let doneBy = Phrase("Done by", "Извършено от")
  static let theHost = Phrase("the host: a command, or the service itself", "хостът: команда или самата услуга")
}

extension MessageTranslation {
  /// The messages about operators' actions.
  static let ofOperators: [(english: String, bulgarian: String)] = [
    ("Enter a valid email address.", "Въведете валиден имейл."),
    ("An account with this email exists already.", "Вече има акаунт с този имейл."),
    ("Enter an amount up to %.", "Въведете сума до %."),
    ("Enter an amount above 0, up to %.", "Въведете сума над 0, до %."),
    ("No account may have more than %.", "Никой акаунт не може да има повече от %."),
    ("The account was changed meanwhile. Read it again.", "Акаунтът междувременно беше променен."),
    ("The account % is closed.", "Акаунтът % е закрит."),
    ("The server % is being deleted.", "Сървърът % се изтрива."),
    ("The server % is being deleted already.", "Сървърът % вече се изтрива."),
    (
      "This account is an operator's: it is changed on the host only, with vpsd account.",
      "Този акаунт е на оператор: променя се само на хоста, с vpsd account."
    ),
  ]
}
