import Core
import Foundation
import HTTPTypes
import NIOCore
import NIOHTTPTypes
import Synchronization

/// Answers requests whose replies are in memory at once, on the event loop: no task begins, and no route is searched. All
/// other requests pass.
///
/// A reply is given only while no earlier request of the connection is unanswered, and while the client takes what it is
/// sent. Used on the event loop of its channel only, behind all handlers that count or limit requests.
final class QuickReplies: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  private let envelope: Envelope
  private let serverName: String
  /// The last request that could be answered from memory.
  private var question: RepliesInMemory.Question?
  /// Whether the head of the present request is held back: it is passed on only if its reply is not in memory.
  private var holdsHead = false
  /// Requests that were passed on.
  private var unanswered = 0
  /// Whether the last reply from here was written to the socket; nil before the first.
  private var written: EventLoopFuture<Void>?
  private var awaitsFlush = false

  init(_ envelope: Envelope, serverName: String) {
    self.envelope = envelope
    self.serverName = serverName
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      if unanswered == 0, context.channel.isWritable, isQuestion(head, context) {
        holdsHead = true
        return
      }
      unanswered += 1
    case .body: passHead(context)
    case .end:
      if holdsHead, let question, let reply = envelope.replyInMemory(to: question) {
        holdsHead = false
        return write(reply, context)
      }
      passHead(context)
    }
    context.fireChannelRead(data)
  }

  /// A client that asks for the same again is not read anew.
  private func isQuestion(_ head: HTTPRequest, _ context: ChannelHandlerContext) -> Bool {
    if let earlier = question?.head, earlier.method == head.method, earlier.path == head.path,
      earlier.authority == head.authority, earlier.headerFields.elementsEqual(head.headerFields)
    {
      return true
    }
    question = envelope.question(head, from: context.channel.remoteAddress?.ipAddress ?? "")
    return question != nil
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if awaitsFlush { context.flush() }
    awaitsFlush = false
    context.fireChannelReadComplete()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard case .inputClosed? = event as? ChannelEvent, let written else {
      return context.fireUserInboundEventTriggered(event)
    }
    // Where no request has reached it, the task of the connection takes this for the end and closes: what is not sent would
    // be lost.
    let bound = NIOLoopBound(context, eventLoop: context.eventLoop)
    written.whenComplete { _ in bound.value.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    // The reply to a request that could not be parsed was not counted.
    if case .end = unwrapOutboundIn(data), unanswered > 0 { unanswered -= 1 }
    context.write(data, promise: promise)
  }

  private func passHead(_ context: ChannelHandlerContext) {
    guard holdsHead, let head = question?.head else { return }
    holdsHead = false
    unanswered += 1
    context.fireChannelRead(wrapInboundOut(.head(head)))
  }

  private func write(_ reply: (head: HTTPResponse, body: ByteBuffer?), _ context: ChannelHandlerContext) {
    var head = reply.head
    head.headerFields[.date] = DateHeader.now
    head.headerFields[.server] = serverName
    context.write(wrapOutboundOut(.head(head)), promise: nil)
    if let body = reply.body { context.write(wrapOutboundOut(.body(body)), promise: nil) }
    let promise = context.eventLoop.makePromise(of: Void.self)
    written = promise.futureResult
    context.write(wrapOutboundOut(.end(nil)), promise: promise)
    awaitsFlush = true
  }
}

/// The `Date` header of RFC 9110, made once a second.
private enum DateHeader {
  private static let latest = Mutex((second: 0, text: ""))
  private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  static var now: String {
    let second = time(nil)
    return latest.withLock { latest in
      if latest.second != second { latest = (second, text(of: second)) }
      return latest.text
    }
  }

  private static func text(of second: Int) -> String {
    let (year, month, day, hour, minute, rest) = Timestamp(millisecondsSinceEpoch: Int64(second) * 1000).calendar
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    return "\(days[second / 86_400 % 7]), \(two(day)) \(months[month - 1]) \(year) "
      + "\(two(hour)):\(two(minute)):\(two(rest)) GMT"
  }
}
