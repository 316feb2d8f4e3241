extension Phrase {
  // Keys.
  static let sshKeysHint = Phrase(
    "They are installed on servers that are created or rebuilt with them.",
    "Те се поставят на сървъри, които се създават или преинсталират с тях.")
  static let fingerprint = Phrase("Fingerprint", "Отпечатък")
  static let addAKey = Phrase("Add a key", "Добавяне на ключ")
  static let addKey = Phrase("Add key", "Добавяне")
  static func deleteKey(_ name: String) -> Phrase {
    Phrase("Delete the key \(name)?", "Изтриване на ключа \(name)?")
  }
  static let deleteKeyHint = Phrase(
    "Servers that have it keep it. New ones cannot get it any more.",
    "Сървърите, които го имат, го запазват. Нови вече не могат да го получат.")
  static let deleteKeyAction = Phrase("Delete key", "Изтриване на ключа")

  // Tokens.
  static let tokensHint = Phrase(
    "Programs that use the API bear one. Give each no more than it needs.",
    "С тях програми използват API. Давайте на всеки само нужните права.")
  static let createAToken = Phrase("Create a token", "Създаване на токен")
  static let createToken = Phrase("Create token", "Създаване")
  static let permissions = Phrase("Permissions", "Права")
  static let expiresAtHint = Phrase("Never, if left out.", "Без дата: никога.")
  static func tokenCreated(_ name: String) -> Phrase { Phrase("The token \(name)", "Токенът \(name)") }
  static let tokenOnce = Phrase(
    "It is shown this once, and kept nowhere.", "Той се показва само сега и не се пази никъде.")
  static let revoke = Phrase("Revoke", "Отмяна")
  static func revokeToken(_ name: String) -> Phrase {
    Phrase("Revoke the token \(name)?", "Отмяна на токена \(name)?")
  }
  static let revokeTokenHint = Phrase(
    "Programs that bear it are refused from then on, and so are all tokens that were made with it.",
    "Програмите с него ще получават отказ, както и всички токени, създадени с него.")
  static let revokeTokenAction = Phrase("Revoke token", "Отмяна на токена")

  // The account.
  static let company = Phrase("Company", "Фирма")
  static let customerSince = Phrase("Customer since", "Клиент от")
  static let sessions = Phrase("Signed in", "Влезли")
  static let sessionsHint = Phrase(
    "Every browser that is signed in to this account.", "Всеки браузър, от който е влязло в този акаунт.")
  static let browser = Phrase("Browser", "Браузър")
  static let unknownBrowser = Phrase("unknown browser", "неизвестен браузър")
  static let thisSession = Phrase("this one", "този")
  static let signedInAt = Phrase("Since", "От")
  static let endSession = Phrase("End", "Прекратяване")
  static let passwordIsSet = Phrase(
    "There is a password. Another one ends all other sessions.",
    "Има парола. Нова парола прекратява всички други сесии.")
  static let noPassword = Phrase(
    "There is no password: you sign in by a link. With one, you need no link.",
    "Няма парола: влизате с връзка. С парола не Ви трябва връзка.")
  static let passwordRule = Phrase("10 characters at least.", "Поне 10 знака.")
  static let currentPassword = Phrase("Current password", "Сегашна парола")
  static let newPassword = Phrase("New password", "Нова парола")
  static let repeatedPassword = Phrase("New password, once more", "Новата парола още веднъж")
  static let passwordsDiffer = Phrase("This is another one.", "Това е друга парола.")
  static let setPassword = Phrase("Set password", "Запазване на паролата")
  static let removePassword = Phrase("Remove password", "Премахване на паролата")

  static let secondFactor = Phrase("Second factor", "Втори фактор")
  static let secondFactorIsOn = Phrase(
    "A code of your authenticator is asked for after the password.",
    "След паролата се иска код от приложението Ви за удостоверяване.")
  static let secondFactorIsOff = Phrase(
    "With one, whoever knows your password still cannot sign in.",
    "С него и който знае паролата Ви, не може да влезе.")
  static let secondFactorHint = Phrase(
    "Let an authenticator on your telephone read this picture, and type what it shows.",
    "Прочетете картинката с приложение за удостоверяване и въведете показаното.")
  static let keyAsPicture = Phrase("The key as a picture", "Ключът като картинка")
  static let keyAsText = Phrase("Or type this key:", "Или въведете този ключ:")
  static let code = Phrase("Code", "Код")
  static let codeHint = Phrase(
    "Six digits of your authenticator, or one of your recovery codes. Without either, ask the operator for a link.",
    "Шест цифри от приложението или един от кодовете за възстановяване. Без тях поискайте връзка от оператора.")
  static let setSecondFactor = Phrase("Set up second factor", "Включване на втори фактор")
  static let removeSecondFactor = Phrase("Remove second factor", "Премахване на втория фактор")
  static let recoveryCodes = Phrase("Recovery codes", "Кодове за възстановяване")
  static let recoveryCodesOnce = Phrase(
    "Each signs you in once in the place of your authenticator. They are shown this once: keep them where you keep your passwords.",
    "Всеки от тях замества приложението веднъж. Показват се само сега: пазете ги при паролите си.")

  // Billing.
  static let balance = Phrase("Balance", "Наличност")
  static let costNow = Phrase("Cost of all servers", "Цена на всички сървъри")
  static let lastsFor = Phrase("Lasts for", "Стига за")
  static func days(_ count: Int64) -> Phrase { Phrase("\(count) days", "\(count) дни") }
  static func hours(_ count: Int64) -> Phrase {
    Phrase(count == 1 ? "1 hour" : "\(count) hours", count == 1 ? "1 час" : "\(count) часа")
  }
  static let month = Phrase("Month", "Месец")
  static let nothingSpent = Phrase("Nothing was charged in this month.", "През този месец нищо не е таксувано.")
  static let hoursTitle = Phrase("Hours", "Часове")
  static let amount = Phrase("Amount", "Сума")
  static let traffic = Phrase("Traffic", "Трафик")
  static let total = Phrase("Total", "Общо")
  static let ledger = Phrase("Ledger", "Движения")
  static let reason = Phrase("Reason", "Основание")
  static let ledgerCredit = Phrase("credit", "кредит")
  static let ledgerHold = Phrase("set aside", "задържано")
  static let ledgerRelease = Phrase("given back", "освободено")
  static let ledgerCharge = Phrase("an hour", "един час")
  static let ledgerBackup = Phrase("an hour of backups", "един час резервни копия")
  static let ledgerTraffic = Phrase("traffic", "трафик")
  static let ledgerRefund = Phrase("refund", "възстановена сума")
}
