extension Runner {
  package struct Limits: Sendable {
    package var stepsAtOnce = 32
    /// How many operations one transaction claims at most.
    package var claimsAtOnce = 8
    /// How many disks of a host are copied at the same time.
    package var copiesAtOnce = 2
    /// A step that has not returned by then is cancelled. Drivers limit their own calls to much less.
    package var longestStep = Duration.seconds(150)
    /// A step that has not returned so long after its cancellation is run again while the first run still hangs.
    package var longestEnd = Duration.seconds(60)
    /// How long the runner sleeps at most: other processes may write to the store.
    package var idle = Duration.seconds(1)

    package init() {}
  }
}
