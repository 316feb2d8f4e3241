import Core
import Engine

/// The use cases' messages in Bulgarian, as far as people see them in the panel.
///
/// A `%` stands for any text. These texts come in the same order in both languages.
enum MessageTranslation {
  private static let messages: [(english: String, bulgarian: String)] =
    [
      ("Not found.", "Не е намерено."),
      ("Invalid page.", "Няма такава страница."),
      ("This field may not be blank.", "Това поле не може да бъде празно."),
      ("This field is required.", "Това поле е задължително."),
      ("Enter a valid value.", "Въведете валидна стойност."),
      ("Ensure this field has no more than % characters.", "Полето може да има най-много % знака."),
      (
        "Control characters, line separators and marks of text direction are not allowed.",
        "Управляващи знаци, нови редове и знаци за посока на текста не са позволени."
      ),
      ("This plan is not available at %.", "Този план не се предлага в %."),
      ("Invalid pk % - object does not exist.", "Такъв избор (%) вече няма."),
      ("% is not a valid choice.", "% не е валиден избор."),
      ("This list may not be empty.", "Изберете поне едно."),
      ("Enter a time in the future.", "Въведете време в бъдещето."),
      ("Insufficient credits.", "Недостатъчен кредит."),
      (
        "Insufficient credits. This plan costs % per hour and your balance is %.",
        "Недостатъчен кредит. Този план струва % на час, а наличността Ви е %."
      ),
      (
        "Insufficient credits. Your account is suspended until it can pay for its servers. This plan costs % per hour and your balance is %.",
        "Недостатъчен кредит. Акаунтът Ви е спрян, докато може да плати сървърите си. Този план струва % на час, а наличността Ви е %."
      ),
      ("No capacity at % for this plan.", "В % няма място за този план."),
      ("No free address at %.", "В % няма свободен адрес."),
      ("Copy quota of the server reached (%).", "Достигнат е лимитът за копия на сървъра (%)."),
      ("Server is being restored already.", "Сървърът вече се възстановява."),
      ("Server is being resized already.", "Планът на сървъра вече се сменя."),
      ("Server is being moved already.", "Сървърът вече се премества."),
      ("The server is at % already.", "Сървърът вече е в %."),
      ("Servers at % cannot be moved to %.", "Сървъри от % не могат да бъдат преместени в %."),
      ("The server's plan is not available at %.", "Планът на сървъра не се предлага в %."),
      ("The server's operating system is not available at %.", "Операционната система на сървъра не се предлага в %."),
      ("The server was moved a moment ago. Try again.", "Сървърът беше преместен преди малко. Опитайте пак."),
      ("Server is being rebuilt already.", "Сървърът вече се преинсталира."),
      (
        "Console limit of this server reached (%). Close one first.",
        "Достигнат е лимитът за конзоли на сървъра (%). Затворете някоя."
      ),
      (
        "Console limit of your account reached (%). Close one first.",
        "Достигнат е лимитът за конзоли на акаунта (%). Затворете някоя."
      ),
      ("Too many consoles are open at the moment.", "В момента са отворени твърде много конзоли."),
      ("Server quota reached (%).", "Достигнат е лимитът за сървъри (%)."),
      ("Token quota reached (%).", "Достигнат е лимитът за токени (%)."),
      ("SSH key quota reached (%).", "Достигнат е лимитът за SSH ключове (%)."),
      ("Server is already running.", "Сървърът вече работи."),
      ("Server is not running.", "Сървърът не работи."),
      ("Server is %.", "Сървърът е в състояние %."),
      ("Server could not be created.", "Сървърът не можа да бъде създаден."),
      ("Your account is suspended.", "Акаунтът Ви е спрян."),
      ("Your account is suspended: %", "Акаунтът Ви е спрян: %"),
      ("You do not have permission to perform this action.", "Нямате право на това действие."),
      ("E-mail address and password do not belong together.", "Имейлът и паролата не съответстват."),
      (
        "This link is not valid. A link signs in once, and not for long.",
        "Тази връзка не е валидна. С една връзка се влиза веднъж и за кратко."
      ),
      ("This code is not right, or was used already.", "Кодът не е верен или вече е използван."),
      ("This code is not right.", "Кодът не е верен."),
      (
        "This is not what an authenticator with this key shows now.",
        "Това не е, което приложение с този ключ показва сега."
      ),
      ("There is a second factor already.", "Вече има втори фактор."),
      ("This is not your password.", "Това не е Вашата парола."),
      ("Ensure this field has % to % bytes.", "Полето трябва да има от % до % байта."),
      ("The password was changed meanwhile.", "Паролата междувременно беше променена."),
      (
        "Too many people sign in at the moment. Try again soon.",
        "В момента влизат твърде много хора. Опитайте отново след малко."
      ),
      ("An SSH key with this name exists already.", "Вече има SSH ключ с това име."),
      (
        "Quota of names in networks of the server reached (%).",
        "Достигнат е лимитът за имена в мрежите на сървъра (%)."
      ),
      ("Reverse DNS is not available at %.", "В % няма обратен DNS."),
      ("This is no address of the server.", "Това не е адрес на сървъра."),
      (
        Hostname.ruleOfAddress,
        "Въведете цял домейн по RFC 1123, например web01.example.com: поне две части от по 1 до 63 латински букви, цифри и тирета, без тире в началото или края на част, без точка накрая, най-много 253 знака и не само цифри в последната част."
      ),
      (
        "The name must lead back to %: give it that % record first.",
        "Името трябва да води обратно към %: първо му дайте този запис (%)."
      ),
      ("% names are looked up already.", "В момента се проверяват вече % имена."),
      ("It cannot be learnt now where the name leads.", "Сега не може да се разбере накъде води името."),
      ("Server is protected from deletion.", "Сървърът е защитен от изтриване."),
      ("The guest agent did not answer.", "Агентът на сървъра не отговори."),
      ("This SSH key is registered already.", "Този SSH ключ вече е добавен."),
      ("Enter a valid OpenSSH public key.", "Въведете валиден публичен ключ на OpenSSH."),
      (
        "Enter a valid OpenSSH public key: this one is damaged.",
        "Въведете валиден публичен ключ на OpenSSH: този е повреден."
      ),
      (
        "This is no public key in one line, as ssh-keygen writes it to a file ending in .pub.",
        "Това не е публичен ключ на един ред, както ssh-keygen го записва във файл с разширение .pub."
      ),
      ("Enter one key, in one line.", "Въведете един ключ на един ред."),
      ("DSA keys are not accepted.", "Ключове DSA не се приемат."),
      ("RSA keys need at least % bits; this one has %.", "Ключовете RSA трябва да имат поне % бита; този има %."),
      (
        "RSA keys may have % bits at most; this one has %.", "Ключовете RSA могат да имат най-много % бита; този има %."
      ),
      ("Ensure this field has no more than % bytes.", "Полето може да има най-много % байта."),
      ("Ensure this field has no more than % elements.", "Полето може да има най-много % елемента."),
      ("This field is required for tcp and udp.", "За tcp и udp портът е задължителен."),
      ("Only tcp and udp have ports: leave this out, or null.", "Само tcp и udp имат портове: оставете полето празно."),
      (
        "Enter a port from 1 to 65535, like \"22\", a range of ports, like \"80-85\", or \"any\".",
        "Въведете порт от 1 до 65535, например 22, обхват от портове, например 80-85, или any."
      ),
      ("This network is in the list already.", "Тази мрежа вече е в списъка."),
      (
        "Enter a network in CIDR notation, like 203.0.113.0/24, 2001:db8::/32 or, for one address, 203.0.113.5/32.",
        "Въведете мрежа като 203.0.113.0/24, 2001:db8::/32 или, за един адрес, 203.0.113.5/32."
      ),
      (
        "The address has bits set beyond the length of the network: enter its first address, like 203.0.113.0/24.",
        "Адресът има битове извън дължината на мрежата: въведете първия ѝ адрес, например 203.0.113.0/24."
      ),
      (
        "Enter an IPv4 network as such, like 203.0.113.0/24.",
        "Въведете мрежа на IPv4 като такава, например 203.0.113.0/24."
      ),
      (
        "Too many wrong tries. Try again in an hour, or ask the operator for a link.",
        "Твърде много грешни опити. Опитайте след час или поискайте връзка от оператора."
      ),
      ("The console cannot be reached at the moment.", "Конзолата е недостъпна в момента."),
      ("Server has no console.", "Сървърът няма конзола."),
      ("Server is suspended.", "Сървърът е спрян."),
      ("The server was changed meanwhile. Read it again.", "Сървърът междувременно беше променен."),
      ("The firewall was changed meanwhile. Read it again.", "Защитната стена междувременно беше променена."),
    ] + ofOperators

  /// Texts for people instead of the messages about idempotency keys, which forms send without people knowing of them.
  private static let repeatedForms: [(message: String, phrase: Phrase)] = [
    (
      Idempotency.underWay.message,
      Phrase(
        "This form was sent already, and is still being carried out. Wait a moment, and look what came of it.",
        "Този формуляр вече е изпратен и още се изпълнява. Изчакайте малко и вижте какво е станало.")
    ),
    (
      Idempotency.answerLost.message,
      Phrase(
        "This form was sent already, and was carried out. Look what came of it before you send another one.",
        "Този формуляр вече е изпратен и изпълнен. Вижте какво е станало, преди да изпратите друг.")
    ),
    (
      Idempotency.usedOtherwise.message,
      Phrase(
        "This form was sent already, with something else in it. Look what came of that; for more, load the page again.",
        "Този формуляр вече е изпратен с друго съдържание. Вижте какво е станало; за още презаредете страницата.")
    ),
    (
      "Another request with this Idempotency-Key came first.",
      Phrase(
        "This form was sent twice, and the other one came first. Look what came of that.",
        "Този формуляр е изпратен два пъти и другият беше пръв. Вижте какво е станало.")
    ),
  ]

  /// The panel's text for such a message; nil for any other message.
  static func ofRepeatedForm(_ message: String) -> Phrase? {
    repeatedForms.first { $0.message.utf8.elementsEqual(message.utf8) }?.phrase
  }

  /// Nil for an unknown message.
  static func bulgarian(_ message: String) -> String? {
    guard message.utf8.count <= 1000 else { return nil }
    if let exact = messages.first(where: { $0.english.utf8.elementsEqual(message.utf8) }) { return exact.bulgarian }
    for (english, bulgarian) in messages {
      guard let values = values(in: message, by: english) else { continue }
      let parts = bulgarian.split(separator: "%", omittingEmptySubsequences: false)
      return zip(parts, values + [""]).reduce("") { $0 + $1.0 + $1.1 }
    }
    return nil
  }

  /// The text in the place of each `%`; nil where the message does not match the pattern.
  private static func values(in message: String, by pattern: String) -> [Substring]? {
    let parts = pattern.split(separator: "%", omittingEmptySubsequences: false)
    guard let first = parts.first, let last = parts.last, message.hasPrefix(first) else { return nil }
    guard parts.count > 1 else { return message == pattern ? [] : nil }
    var rest = message.dropFirst(first.count)
    guard rest.hasSuffix(last) else { return nil }
    rest = rest.dropLast(last.count)
    var values: [Substring] = []
    for part in parts.dropFirst().dropLast() {
      guard let found = rest.firstRange(of: part) else { return nil }
      values.append(rest[..<found.lowerBound])
      rest = rest[found.upperBound...]
    }
    return values + [rest]
  }
}
