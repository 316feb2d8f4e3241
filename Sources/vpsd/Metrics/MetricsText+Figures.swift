import API
import Core
import Engine
import SQLStore

extension MetricsText {
  mutating func add(_ requests: [RequestFigures.Route: RequestFigures.Figures]) {
    let routes = requests.sorted { ($0.key.path, $0.key.method) < ($1.key.path, $1.key.method) }
    func labels(_ route: RequestFigures.Route) -> Labels { [("method", route.method), ("route", route.path)] }
    counter(
      "vpsd_http_requests_total", "Requests that were answered, by route and status.",
      routes.flatMap { route, figures in
        figures.statuses.sorted { $0.key < $1.key }.map { status, count in
          (labels(route) + [("status", "\(status)")], Double(count))
        }
      })
    histogram(
      "vpsd_http_request_duration_seconds", "How long it took until a reply could be sent.",
      routes.map { (labels($0.key), $0.value.durations) })
  }

  mutating func add(_ engine: EngineFigures) {
    let operations = engine.operations.sorted {
      ($0.key.kind.rawValue, $0.key.outcome.rawValue) < ($1.key.kind.rawValue, $1.key.outcome.rawValue)
    }
    func labels(_ work: EngineFigures.Work) -> Labels {
      [("workflow", work.kind.rawValue), ("outcome", work.outcome.rawValue)]
    }
    counter(
      "vpsd_operations_total", "Operations that are over, by workflow and outcome.",
      operations.map { (labels($0.key), Double($0.value.total)) })
    histogram(
      "vpsd_operation_duration_seconds", "How long operations took, from their request to their end.",
      operations.map { (labels($0.key), $0.value) })
    let suspensions = engine.suspensions
    counter(
      "vpsd_credit_suspensions_total", "Accounts that have run out of credit.", [([], Double(suspensions.begun))])
    counter(
      "vpsd_credit_resumptions_total", "Accounts out of credit that could pay again.",
      [([], Double(suspensions.lifted))])
  }

  mutating func add(_ queues: [StoreFigures.Queue], at now: Timestamp) {
    gauge(
      "vpsd_operations_unfinished", "Operations that wait for their first step, and that are under way, by host.",
      queues.flatMap { queue in
        [
          ([("host", queue.host), ("state", "queued")], Double(queue.queued)),
          ([("host", queue.host), ("state", "running")], Double(queue.running)),
        ]
      })
    gauge(
      "vpsd_operation_oldest_wait_seconds", "How long the operation waits that has waited longest for its first step.",
      queues.map { queue in
        ([("host", queue.host)], queue.oldestQueuedAt.map { max(now - $0, .zero).inSeconds } ?? 0)
      })
  }

  mutating func add(_ names: [StoreFigures.Names], at now: Timestamp) {
    func each(_ value: (StoreFigures.Names) -> Double) -> [(Labels, Double)] {
      names.map { ([("location", $0.location)], value($0)) }
    }
    gauge(
      "vpsd_reverse_names_waiting", "Names of addresses that the DNS server is yet to be told, by location.",
      each { Double($0.waiting) })
    gauge(
      "vpsd_reverse_names_refused", "Those of them that the DNS server has refused, and that are tried again.",
      each { Double($0.refused) })
    gauge(
      "vpsd_reverse_name_oldest_wait_seconds", "How long the name waits that has waited longest.",
      each { $0.oldestAt.map { max(now - $0, .zero).inSeconds } ?? 0 })
  }

  /// Each status has a series even without servers, so that graphs have no gaps.
  mutating func add(_ servers: [StoreFigures.Servers], hosts: [HostLoad]) {
    let statuses = ServerStatus.allCases.map(\.rawValue) + ["deleting"]
    gauge(
      "vpsd_servers", "Servers by status and host; those that are being deleted have a status of their own.",
      hosts.flatMap { load in
        statuses.map { status in
          let count = servers.first { $0.host == load.host.name && $0.status == status }?.count ?? 0
          return ([("host", load.host.name), ("status", status)], Double(count))
        }
      })
  }

  mutating func add(_ hosts: [HostLoad]) {
    func each(_ value: (HostLoad) -> Double?) -> [(Labels, Double)] {
      hosts.compactMap { load in value(load).map { ([("host", load.host.name)], $0) } }
    }
    let (mebibyte, gibibyte) = (1_048_576.0, 1_073_741_824.0)
    gauge("vpsd_host_up", "Whether a host answers.", each { $0.host.isAway ? 0 : 1 })
    gauge("vpsd_host_draining", "Whether a host takes no new servers.", each { $0.host.isDraining ? 1 : 0 })
    gauge(
      "vpsd_host_capacity_vcpus", "Processors that a host gives to servers; none where there is no bound.",
      each { $0.host.capacity.map { Double($0.vcpus) } })
    gauge("vpsd_host_reserved_vcpus", "Processors that servers have of a host.", each { Double($0.reserved.vcpus) })
    gauge(
      "vpsd_host_capacity_memory_bytes", "Memory that a host gives to servers; none where there is no bound.",
      each { $0.host.capacity.map { Double($0.memoryMiB) * mebibyte } })
    gauge(
      "vpsd_host_reserved_memory_bytes", "Memory that servers have of a host.",
      each { Double($0.reserved.memoryMiB) * mebibyte })
    gauge(
      "vpsd_host_capacity_storage_bytes", "Disk that a host gives to servers; none where there is no bound.",
      each { $0.host.capacity.map { Double($0.storageGiB) * gibibyte } })
    gauge(
      "vpsd_host_reserved_storage_bytes", "Disk that servers have of a host.",
      each { Double($0.reserved.storageGiB) * gibibyte })
  }

  mutating func add(_ accounts: StoreFigures.Accounts, ledger: [String: StoreWatch.Sum], currency: String) {
    gauge("vpsd_accounts", "Accounts that are not closed.", [([], Double(accounts.open))])
    gauge(
      "vpsd_accounts_suspended", "Accounts whose servers are off, by cause.",
      [
        ([("cause", "credit")], Double(accounts.suspendedForCredit)),
        ([("cause", "operator")], Double(accounts.suspendedByOperator)),
      ])
    let reasons = LedgerReason.allCases.map { ($0.rawValue, ledger[$0.rawValue] ?? .init()) }
    counter(
      "vpsd_ledger_entries_total", "Entries of the ledger, by reason.",
      reasons.map { ([("reason", $0)], Double($1.count)) })
    counter(
      "vpsd_ledger_amount_total", "What accounts were given and what was taken from them, in the currency's unit.",
      reasons.flatMap { reason, sum in
        [("given", sum.given), ("taken", sum.taken)].map { direction, amount in
          (
            [("currency", currency), ("direction", direction), ("reason", reason)],
            Double(amount.microunits) / 1_000_000
          )
        }
      })
  }

  mutating func add(_ process: ProcessFigures) {
    func single(_ value: Double?) -> [(Labels, Double)] { value.map { [([], $0)] } ?? [] }
    counter("process_cpu_seconds_total", "Processor time of the service.", single(process.cpuSeconds))
    gauge("process_resident_memory_bytes", "Memory of the service.", single(process.residentBytes))
    gauge("process_open_fds", "Open files and sockets of the service.", single(process.openDescriptors))
    gauge("process_max_fds", "How many it may have open.", single(process.mostDescriptors))
    gauge("process_start_time_seconds", "When it started, since 1970.", single(process.startedAtSeconds))
  }
}
