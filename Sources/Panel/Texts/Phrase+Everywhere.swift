extension Phrase {
  static let menu = Phrase("Menu", "Меню")
  static let servers = Phrase("Servers", "Сървъри")
  static let sshKeys = Phrase("SSH keys", "SSH ключове")
  static let tokens = Phrase("Tokens", "Токени")
  static let billing = Phrase("Billing", "Плащания")
  static let account = Phrase("Account", "Акаунт")
  static let apiReference = Phrase("API reference", "Документация за API")
  static let skipToContent = Phrase("Skip to the content", "Към съдържанието")
  static let signIn = Phrase("Sign in", "Вход")
  static let signOut = Phrase("Sign out", "Изход")
  static let signInByLink = Phrase(
    "No password? The operator of this service gives you a link that signs you in: vpsd account login-link.",
    "Нямате парола? Операторът на услугата ще Ви даде връзка за вход: vpsd account login-link.")
  static let forgottenPassword = Phrase("Forgotten your password?", "Забравена парола?")
  static let forgottenPasswordHint = Phrase(
    "A link that signs you in is sent to the address of your account. A second factor is asked for all the same.",
    "На адреса на акаунта Ви се изпраща връзка за вход. Вторият фактор се иска и тогава.")
  static let mailLink = Phrase("Send a link", "Изпращане на връзка")
  static let linkIsMailed = Phrase(
    "If there is an account with this address, a link is on its way, and good for an hour. A few can be asked for in a day, five minutes apart; if none comes, the operator can help.",
    "Ако има акаунт с този адрес, връзката е изпратена и важи един час. За един ден могат да бъдат поискани няколко, през пет минути; ако не пристигне, операторът може да помогне."
  )
  static let mailedLinkHint = Phrase(
    "This signs you in. The password that was forgotten is good no more then; you can set another one at Account.",
    "Така влизате. Забравената парола вече няма да важи; нова можете да зададете в Акаунт.")
  static let email = Phrase("E-mail", "Имейл")
  static let password = Phrase("Password", "Парола")
  static let name = Phrase("Name", "Име")
  static let note = Phrase("Note", "Бележка")
  static let status = Phrase("Status", "Състояние")
  static let time = Phrase("Time", "Време")
  static let duration = Phrase("Duration", "Времетраене")
  static let createdAt = Phrase("Created", "Създаден")
  static let expiresAt = Phrase("Expires", "Изтича")
  static let lastUsed = Phrase("Last used", "Последно използван")
  static let actions = Phrase("Actions", "Действия")
  static let delete = Phrase("Delete", "Изтриване")
  static let deleted = Phrase("deleted", "изтрит")
  static let cancel = Phrase("Cancel", "Отказ")
  static let save = Phrase("Save", "Запазване")
  static let search = Phrase("Search", "Търсене")
  static let pages = Phrase("Pages", "Страници")
  static let previous = Phrase("Previous", "Предишна")
  static let next = Phrase("Next", "Следваща")
  static let newer = Phrase("Newer", "По-нови")
  static let older = Phrase("Older", "По-стари")
  static let copy = Phrase("Copy", "Копиране")
  static let copied = Phrase("Copied", "Копирано")
  static let `continue` = Phrase("Continue", "Напред")
  static let noneYet = Phrase("None yet.", "Още няма.")
  static let fieldIsRequired = Phrase("This field is required.", "Това поле е задължително.")
  static let somethingIsWrong = Phrase(
    "Something is wrong below.", "Има нещо грешно по-долу.")
  static let signedInAlready = Phrase(
    "This browser is signed in already. Do you want to sign in by this link in its place?",
    "В този браузър вече има вход. Искате ли да влезете с тази връзка вместо него?")
  static func firstOfMany(_ count: Int, _ total: Int) -> Phrase {
    Phrase("The first \(count) of \(total).", "Първите \(count) от \(total).")
  }

  // Errors that no form shows.
  static let notFoundTitle = Phrase("Not found", "Не е намерено")
  static let refusedTitle = Phrase("That did not work", "Не се получи")
  static let toServers = Phrase("To your servers", "Към сървърите")
  static let formRefused = Phrase(
    "This form was not sent from a page of yours, or the page is too old. Nothing was changed: go back, load it again, and try once more.",
    "Този формуляр не е изпратен от Ваша страница, или страницата е твърде стара. Нищо не е променено: върнете се, презаредете я и опитайте отново."
  )
  static let formNotRemembered = Phrase(
    "Your account has made so many requests within an hour that this form could be carried out twice without anybody noticing. Nothing was changed: try again in an hour.",
    "От Вашия акаунт има толкова много заявки за един час, че този формуляр би могъл да се изпълни два пъти, без никой да забележи. Нищо не е променено: опитайте отново след час."
  )
  static let formTooLarge = Phrase("This is too large. Nothing was changed.", "Твърде голямо е. Нищо не е променено.")
  static let unavailable = Phrase(
    "The service cannot do this at the moment. Try again soon.",
    "Услугата не може да направи това в момента. Опитайте отново след малко.")
  static let refused = Phrase("The service refused this request.", "Услугата отказа тази заявка.")
  static func tooManyRequests(_ seconds: String) -> Phrase {
    Phrase(
      "Too many requests. Try again in \(seconds) seconds.",
      "Твърде много заявки. Опитайте отново след \(seconds) секунди.")
  }
  static func internalError(_ request: String) -> Phrase {
    Phrase(
      "Something went wrong inside the service. Tell its operator the number of this request: \(request)",
      "Нещо се обърка в услугата. Съобщете на оператора номера на тази заявка: \(request)")
  }
  static func suspendedByOperator(_ reason: String) -> Phrase {
    Phrase(
      "Your account is suspended by the operator" + (reason.isEmpty ? "." : ": \(reason)"),
      "Акаунтът Ви е спрян от оператора" + (reason.isEmpty ? "." : ": \(reason)"))
  }
  static let suspendedForCredit = Phrase(
    "Your credit is used up, and all your servers are off. They come back as soon as there is credit for an hour of all of them.",
    "Кредитът Ви е изчерпан и всичките Ви сървъри са изключени. Те се връщат, щом има кредит за един час на всички тях."
  )
  static let deletedAt = Phrase(
    "Without it they are deleted, with all their disks and copies:",
    "Без него те ще бъдат изтрити заедно с дисковете и копията им:")
}
