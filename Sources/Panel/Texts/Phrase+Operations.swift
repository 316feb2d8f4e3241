import Core

extension Core.Operation.Kind {
  var phrase: Phrase {
    switch self {
    case .create: Phrase("create", "създаване")
    case .start: Phrase("start", "стартиране")
    case .stop: Phrase("stop", "спиране")
    case .hardStop: Phrase("power off", "изключване")
    case .reboot: Phrase("reboot", "рестартиране")
    case .recover: Phrase("start again after a failure", "стартиране след повреда")
    case .configure: Phrase("change the hostname", "смяна на името на хост")
    case .readdress: Phrase("change addresses", "смяна на адреси")
    case .resize: Phrase("resize", "смяна на плана")
    case .move: Phrase("move", "преместване")
    case .rebuild: Phrase("rebuild", "преинсталиране")
    case .delete: Phrase("delete", "изтриване")
    case .backup: Phrase("backup", "резервно копие")
    case .snapshot: Phrase("snapshot", "снимка")
    case .restore: Phrase("restore", "възстановяване")
    case .rescue: Phrase("boot the rescue system", "стартиране на системата за възстановяване")
    case .leaveRescue: Phrase("leave the rescue system", "излизане от системата за възстановяване")
    case .discard: Phrase("remove a copy", "премахване на копие")
    }
  }
}

extension Core.Operation.State {
  var phrase: Phrase {
    switch self {
    case .queued: Phrase("waits", "чака")
    case .running: Phrase("is under way", "изпълнява се")
    case .succeeded: Phrase("done", "готово")
    case .failed: Phrase("failed", "неуспешно")
    case .cancelled: Phrase("cancelled", "отменено")
    }
  }
}
