import API
import Core
import Engine
import Logging
import SQLStore

/// All metrics of the service. The number of series depends on routes, workflows, hosts and locations only; customers neither
/// add series nor choose their names.
struct MetricsPage: Sendable {
  let requests = RequestFigures()
  let engine = EngineFigures()
  let store: StoreWatch
  let reverseNamings: ReverseNamings
  let currency: String
  let clock: any WallClock
  let logger: Logger

  func text() async -> String {
    var text = MetricsText()
    text.add(requests.all)
    text.add(engine)
    do {
      let look = try await store.look()
      text.gauge("vpsd_database_up", "Whether the database answers.", [([], 1)])
      text.add(look.figures.queues, at: clock.now)
      text.add(look.figures.names.filter { reverseNamings[$0.location] != nil }, at: clock.now)
      text.add(look.figures.servers, hosts: look.figures.hosts)
      text.add(look.figures.hosts)
      text.add(look.figures.accounts, ledger: look.ledger, currency: currency)
    } catch {
      logger.warning("figures of the database are missing", metadata: ["error": "\(String(reflecting: error))"])
      text.gauge("vpsd_database_up", "Whether the database answers.", [([], 0)])
    }
    text.add(.now())
    return text.text
  }
}
