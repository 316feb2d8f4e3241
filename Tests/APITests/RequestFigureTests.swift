import Engine
import HTTPTypes
import Testing

@testable import API

@Suite("Figures of requests")
struct RequestFigureTests {
  @Test("Whatever is asked for, the series are those of the routes")
  func bounded() {
    let figures = RequestFigures()
    for number in 0..<100 {
      figures.count(HTTPRequest.Method("M\(number)")!, "NotFound", status: 404, after: .milliseconds(1))
    }
    figures.count(.get, nil, status: 400, after: .milliseconds(1))
    figures.count(.get, "/api/v1/servers/{id}/", status: 200, after: .milliseconds(3))
    let all = figures.all
    #expect(
      all.keys.map { "\($0.method) \($0.path)" }.sorted() == ["GET /api/v1/servers/{id}/", "GET none", "other none"])
    #expect(all[.init(method: "other", path: "none")]?.statuses == [404: 100])
    #expect(all[.init(method: "GET", path: "/api/v1/servers/{id}/")]?.durations.counts[2] == 1)
  }

  @Test("What many threads count at once is all there")
  func concurrent() async {
    let figures = RequestFigures()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask {
          for number in 0..<5000 {
            figures.count(.get, "/a/", status: number % 2 == 0 ? 200 : 404, after: .microseconds(number))
          }
        }
      }
    }
    let counted = figures.all[.init(method: "GET", path: "/a/")]
    #expect(counted?.statuses == [200: 20_000, 404: 20_000])
    #expect(counted?.durations.total == 40_000)
    #expect(counted?.durations.sum == .microseconds(8 * 4999 * 5000 / 2))
  }

  @Test("A duration belongs to the first bound that is not below it, and one that is negative to the first")
  func bounds() {
    var histogram = RequestFigures.Figures().durations
    for duration in [Duration.milliseconds(1), .microseconds(1001), .seconds(10), .seconds(11), .seconds(-1)] {
      histogram.add(duration)
    }
    #expect(histogram.counts == [2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1])
  }
}
