import Core

extension Phrase {
  static let server = Phrase("Server", "Сървър")
  static let address = Phrase("Address", "Адрес")
  static let plan = Phrase("Plan", "План")
  static let system = Phrase("System", "Операционна система")
  static let location = Phrase("Location", "Местоположение")
  static let hostname = Phrase("Hostname", "Име на хост")
  static let price = Phrase("Price", "Цена")

  // The list.
  static let noServersYet = Phrase(
    "You have no servers yet. A first one is ready in a minute.", "Още нямате сървъри. Първият е готов за минута.")
  static let searchServers = Phrase("Search by name or hostname", "Търсене по име или име на хост")
  static let anyStatus = Phrase("any status", "всички състояния")
  static func serverCount(_ count: Int) -> Phrase {
    Phrase(count == 1 ? "1 server" : "\(count) servers", count == 1 ? "1 сървър" : "\(count) сървъра")
  }

  // Creation.
  static let createServer = Phrase("Create server", "Създаване на сървър")
  static let createAServer = Phrase("Create a server", "Създаване на сървър")
  static func vcpus(_ count: Int) -> Phrase { Phrase("\(count) vCPU", "\(count) vCPU") }
  static func trafficPerMonth(_ gigabytes: Int) -> Phrase {
    Phrase("\(gigabytes) GB of traffic a month", "\(gigabytes) GB трафик на месец")
  }
  static func perHour(_ amount: String) -> Phrase { Phrase("\(amount) an hour", "\(amount) на час") }
  static func perMonth(_ amount: String) -> Phrase { Phrase("\(amount) a month", "\(amount) на месец") }
  static func balanceAfterwards(_ amount: String) -> Phrase {
    Phrase("Balance afterwards: \(amount)", "Остатък след това: \(amount)")
  }
  static let nameRule = Phrase(
    "1 to 64 letters, digits and hyphens.", "От 1 до 64 латински букви, цифри и тирета.")
  static let hostnameRule = Phrase(
    "What the server calls itself. The name, if left out.", "Как се нарича самият сървър. Без него: името.")
  static let sshKey = Phrase("SSH key", "SSH ключ")
  static let pasteAKey = Phrase("A new key, pasted below", "Нов ключ, поставен по-долу")
  static let passwordInstead = Phrase(
    "No key: a password, which is shown once", "Без ключ: с парола, която се показва веднъж")
  static let publicKey = Phrase("Public key", "Публичен ключ")
  static let publicKeyHint = Phrase(
    "The one line of ~/.ssh/id_ed25519.pub, for example.", "Например единственият ред на ~/.ssh/id_ed25519.pub.")
  static let dailyBackups = Phrase("Daily backups", "Ежедневни резервни копия")
  static let dailyBackupsHint = Phrase(
    "One a day, each kept for 31 days. They cost extra.", "По едно на ден, пазени 31 дни. Заплащат се допълнително.")
  static func serverIsBeingCreated(_ name: String) -> Phrase {
    Phrase("\(name) is being created", "\(name) се създава")
  }
  static func rootPasswordOnce(_ username: String) -> Phrase {
    Phrase(
      "This is the password of the user \(username). It is shown this once, and kept nowhere.",
      "Това е паролата на потребителя \(username). Тя се показва само сега и не се пази никъде.")
  }

  // A server.
  static let pagesOfServer = Phrase("Pages of this server", "Страници на този сървър")
  static let overview = Phrase("Overview", "Преглед")
  static let backupsAndSnapshots = Phrase("Backups and snapshots", "Резервни копия и снимки")
  static let charts = Phrase("Charts", "Графики")
  static let span = Phrase("Span of time", "Период")
  static let nothingMeasured = Phrase("Nothing was measured in this time.", "През това време нищо не е измерено.")
  static let network = Phrase("Network", "Мрежа")
  static let received = Phrase("in", "навътре")
  static let sent = Phrase("out", "навън")
  static let atMost = Phrase("at most", "най-много")
  static let history = Phrase("History", "История")
  static let settings = Phrase("Settings", "Настройки")
  static let start = Phrase("Start", "Стартиране")
  static let stop = Phrase("Stop", "Спиране")
  static let reboot = Phrase("Reboot", "Рестартиране")
  static let powerOff = Phrase("Power off", "Изключване")
  static let console = Phrase("Console", "Конзола")
  static func powerOffServer(_ name: String) -> Phrase { Phrase("Power off \(name)?", "Изключване на \(name)?") }
  static let powerOffHint = Phrase(
    "This is like pulling the plug: whatever its programs have not written to the disk is lost. Stop shuts it down in good order.",
    "Това е като издърпване на щепсела: каквото програмите не са записали на диска, се губи. „Спиране“ го изключва както трябва."
  )
  static let sshCommand = Phrase("Log in", "Влизане")
  static func sshPortIsTaken(_ port: Int) -> Phrase {
    Phrase(
      "Not over SSH now: a program of the host has port \(port), which would lead here. The console is there.",
      "Сега не през SSH: порт \(port), който би водил дотук, е зает от програма на хоста. Конзолата работи.")
  }
  static let usageNow = Phrase("Usage", "Натоварване")
  static let processor = Phrase("CPU", "Процесор")
  static let memory = Phrase("Memory", "Памет")
  static let disk = Phrase("Disk", "Диск")
  static let trafficThisMonth = Phrase("Traffic this month", "Трафик този месец")

  // Its history.
  static let operation = Phrase("What", "Какво")
  static let result = Phrase("Result", "Резултат")
  static let askedForBy = Phrase("Asked for by", "Поискано от")
  static let theService = Phrase("the service", "услугата")

  // Changes.
  static let planAndSystem = Phrase("Plan and system", "План и операционна система")
  static let resize = Phrase("Resize", "Смяна на плана")
  static let resizeHint = Phrase(
    "A server that is active is shut down for this, and comes back by itself. A disk never shrinks.",
    "Работещ сървър се изключва за това и се връща сам. Дисковете не се смаляват.")
  static let move = Phrase("Move", "Преместване")
  static let moveHint = Phrase(
    "The server goes to another location with its disk, backups and snapshots, and gets new addresses there; the old ones, and their reverse names, are given up. A server that is active is shut down for this, and comes back by itself.",
    "Сървърът отива на друго място с диска, резервните копия и снимките си и получава там нови адреси; старите адреси и обратните им имена се освобождават. Работещ сървър се изключва за това и се връща сам."
  )
  static let noOtherLocation = Phrase(
    "There is no other location to which this server can be moved.",
    "Няма друго място, на което този сървър може да бъде преместен.")
  static func moved(_ move: MoveRecord) -> Phrase {
    let (old, new) = (move.oldAddress?.description ?? "-", move.newAddress?.description ?? "-")
    let way = "\(move.fromLocation) → \(move.toLocation), \(old) → \(new)"
    guard let downtime = move.downtime.map({ ($0.milliseconds + 999) / 1000 }) else { return Phrase(way, way) }
    return Phrase("\(way), down for \(downtime) s", "\(way), без връзка \(downtime) s")
  }
  static let rebuild = Phrase("Rebuild", "Преинсталиране")
  static let rebuildHint = Phrase(
    "The server gets a new disk with a new system. Everything on its present disk is lost; backups, snapshots and addresses stay.",
    "Сървърът получава нов диск с нова система. Всичко на сегашния диск се губи; резервните копия, снимките и адресите остават."
  )
  static let rebuildUnderstood = Phrase(
    "Everything on the disk may go", "Всичко на диска може да бъде изтрито")
  static let sameKeys = Phrase("As it has now", "Както е сега")
  static let sameKeysHint = Phrase(
    "A server that was made without a key gets a new password.", "Сървър, създаден без ключ, получава нова парола.")
  static func serverIsBeingRebuilt(_ name: String) -> Phrase {
    Phrase("\(name) is being rebuilt", "\(name) се преинсталира")
  }
  static let deleteServer = Phrase("Delete server", "Изтриване на сървъра")
  static let deleteServerHint = Phrase(
    "Its disk is lost, and so are its backups, snapshots and addresses. This cannot be undone.",
    "Дискът му се губи, както и резервните копия, снимките и адресите му. Това не може да бъде върнато.")
  static func typeToDelete(_ name: String) -> Phrase {
    Phrase("Type \(name) to delete it", "Напишете \(name), за да го изтриете")
  }
  static let nameDiffers = Phrase("This is not its name.", "Това не е името му.")

  // Rescue, labels, user data.
  static let rescueSystem = Phrase("Rescue system", "Система за възстановяване")
  static let rescueHint = Phrase(
    "A Debian in the place of the server's own system, at the same address, with the server's disk as /dev/vdc. The server is shut down for it; its disk is left alone.",
    "Debian на мястото на собствената система, на същия адрес, с диска на сървъра като /dev/vdc. Сървърът се изключва за това; дискът му не се променя."
  )
  static let bootRescue = Phrase("Boot the rescue system", "Стартиране на системата за възстановяване")
  static let isInRescue = Phrase(
    "The rescue system runs in the place of the server's own.",
    "Вместо собствената система работи системата за възстановяване.")
  static let leaveRescue = Phrase("Leave the rescue system", "Излизане от системата за възстановяване")
  static let leaveRescueHint = Phrase(
    "The server is as it was before. What was written outside of its own disk is lost.",
    "Сървърът става какъвто беше. Записаното извън собствения му диск се губи.")
  static let resetPassword = Phrase("Reset password", "Нова парола")
  static let resetPasswordHint = Phrase(
    "The password of the server's system is replaced by a random one, which is shown once. The present one is good no more. The server must run.",
    "Паролата на системата се заменя със случайна, която се показва веднъж. Сегашната вече не важи. Сървърът трябва да работи."
  )
  static let labels = Phrase("Labels", "Етикети")
  static let labelRule = Phrase(
    "For lists: env=prod, team=web. Letters, digits, - _ and ., 63 at most each; 64 labels at most.",
    "За списъци: env=prod, team=web. Латински букви, цифри, - _ и ., най-много по 63; до 64 етикета.")
  static let deleteProtection = Phrase("Protected from deletion", "Защитен от изтриване")
  static let deleteProtectionHint = Phrase(
    "It can be neither deleted nor rebuilt until this is taken back.",
    "Не може да бъде изтрит или преинсталиран, докато това не се махне.")
  static let userData = Phrase("User data", "Потребителски данни")
  static let userDataHint = Phrase(
    "What its first boot is to do: a cloud-config, or a script that begins with #!.",
    "Какво да направи първото стартиране: cloud-config или скрипт, който започва с #!.")
  static let userDataAgain = Phrase("What it had, if left out.", "Без тях: каквито имаше.")

  // Names of addresses.
  static let reverseNames = Phrase("Reverse DNS", "Обратен DNS")
  static let changeReverseNames = Phrase("Change the names of its addresses", "Смяна на имената на адресите")
  static let reverseNamesHint = Phrase(
    "What DNS calls the server's addresses: mail that it sends is judged by that. A change is there within seconds; others may remember the old name for some time.",
    "Как DNS нарича адресите на сървъра: по това се преценява изпратената от него поща. Смяната е налице след секунди; други може да помнят старото име известно време."
  )
  static let nameAnAddress = Phrase("Give an address a name", "Ново име на адрес")
  static let reverseName = Phrase("Domain name", "Домейн")
  static let reverseNameHint = Phrase(
    "A whole one, as in mail.example.com. It should lead back to the address.",
    "Цял, например mail.example.com. Добре е да води обратно към адреса.")
  static func anyAddressOf(_ networks: String) -> Phrase {
    Phrase(
      "One of these, or any other address of \(networks).", "Един от тези или всеки друг адрес от \(networks).")
  }
  static let takeDefaultName = Phrase("Use the default", "Името по подразбиране")

  // Firewall.
  static let firewall = Phrase("Firewall", "Защитна стена")
  static let firewallHint = Phrase(
    "While it is on, only what a rule lets in comes in. Everything may go out, unless there is a rule for that.",
    "Докато е включена, влиза само позволеното от правило. Излиза всичко, освен ако има правило за това.")
  static let firewallMayNotHold = Phrase(
    "Not every network can enforce it: the server's own page says whether it is.",
    "Не всяка мрежа може да я прилага: страницата на сървъра показва дали се прилага.")
  static let firewallIsOn = Phrase("The firewall is on", "Защитната стена е включена")
  static let firewallIsNotEnforced = Phrase(
    "It is not enforced at the moment: its host has not taken it over, or is none that can.",
    "В момента тя не се прилага: хостът още не я е приел или не може.")
  static let direction = Phrase("Direction", "Посока")
  static let inbound = Phrase("in", "навътре")
  static let outbound = Phrase("out", "навън")
  static let ipProtocol = Phrase("Protocol", "Протокол")
  static let ports = Phrase("Port", "Порт")
  static let networks = Phrase("Networks", "Мрежи")
  static let everybody = Phrase("everybody", "всички")
  static func ruleIsWrong(_ number: Int, _ message: String) -> Phrase {
    Phrase("Rule \(number): \(message)", "Правило \(number): \(message)")
  }
  static func ruleIsRepeated(_ number: Int) -> Phrase {
    Phrase(
      "Rule \(number): an earlier one lets the same through.", "Правило \(number): по-предно пропуска същото.")
  }
  static func tooManyRules(_ limit: Int) -> Phrase {
    Phrase("There may be \(limit) rules at most.", "Може да има най-много \(limit) правила.")
  }
  static func tooManyNetworks(_ limit: Int) -> Phrase {
    Phrase(
      "All rules together may name \(limit) networks at most.",
      "Всички правила заедно могат да имат най-много \(limit) мрежи.")
  }

  // Copies.
  static let snapshots = Phrase("Snapshots", "Снимки")
  static let snapshotsHint = Phrase(
    "A snapshot is the disk as it is at one moment, and is kept until you delete it.",
    "Снимката е дискът в един момент и се пази, докато не я изтриете.")
  static let createSnapshot = Phrase("Create snapshot", "Създаване на снимка")
  static let backups = Phrase("Backups", "Резервни копия")
  static let backupsAreDaily = Phrase(
    "One is made every day, and kept for 31 days.", "Прави се по едно на ден и се пази 31 дни.")
  static let backupsAreOff = Phrase(
    "Daily backups are off: see the settings.", "Ежедневните копия са изключени: вижте настройките.")
  static let createBackup = Phrase("Create backup", "Създаване на копие")
  static let automatic = Phrase("automatic", "автоматично")
  static let manual = Phrase("manual", "ръчно")
  static let size = Phrase("Size", "Размер")
  static let restore = Phrase("Restore", "Възстановяване")
  static func restoreCopy(_ name: String) -> Phrase { Phrase("Restore \(name)?", "Възстановяване на \(name)?") }
  static func restoreCopyHint(_ server: String) -> Phrase {
    Phrase(
      "The copy takes the place of the disk of \(server): everything that was written since is lost. A server that is active is shut down for it, and comes back by itself.",
      "Копието заема мястото на диска на \(server): всичко записано след него се губи. Работещ сървър се изключва за това и се връща сам."
    )
  }
  static func deleteCopy(_ name: String) -> Phrase { Phrase("Delete \(name)?", "Изтриване на \(name)?") }
  static let deleteCopyHint = Phrase(
    "Nothing can be restored from it afterwards.", "След това от него нищо не може да бъде възстановено.")
}
