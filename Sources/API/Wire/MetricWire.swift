import Core
import Engine
import NIOCore

/// The history of what a server used, in the form of the API: for each kind a list of times and values.
enum MetricWire {
  enum Kind: String, CaseIterable {
    case cpu, memory, disk, network
  }

  static func series(_ series: Metrics.Series, _ kinds: [Kind]) -> ByteBuffer {
    JSONWriter.object { writer in
      writer.field("start", series.range.start)
      writer.field("end", series.range.end)
      writer.field("step", series.range.stepSeconds)
      writer.field("time_series") { writer in
        for kind in kinds {
          switch kind {
          case .cpu: values(&writer, "cpu", series.points) { $0.value(tenths: $1.cpuPermille) }
          case .memory: values(&writer, "memory", series.points) { $0.value($1.memoryMiB) }
          case .disk: values(&writer, "disk", series.points) { $0.value(tenths: $1.diskTenthsGiB) }
          case .network:
            values(&writer, "network.in", series.points) { $0.value($1.receivedBytesPerSecond) }
            values(&writer, "network.out", series.points) { $0.value($1.sentBytesPerSecond) }
          }
        }
      }
    }
  }

  private static func values(
    _ writer: inout JSONWriter, _ name: StaticString, _ points: [Metric],
    _ value: (inout JSONWriter, Metric) -> Void
  ) {
    writer.field(name) { writer in
      writer.field("values", points) { writer, point in
        writer.array([0, 1]) { writer, index in
          if index == 0 {
            writer.value(point.at.millisecondsSinceEpoch / 1000)
          } else {
            value(&writer, point)
          }
        }
      }
    }
  }
}

extension Metric {
  /// Rounded up, and computed without overflow.
  fileprivate var diskTenthsGiB: Int64 {
    let unit: Int64 = 1 << 30
    return diskBytes / unit * 10 + (diskBytes % unit * 10 + unit - 1) / unit
  }
}
