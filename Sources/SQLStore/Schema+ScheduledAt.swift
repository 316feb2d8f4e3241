extension Schema {
  /// When `not_before` was set. If that is later than now, the clock was set back since then, and the operation is due.
  ///
  /// `step_started_at` is not used any more: how long a step takes is measured by the process that runs it.
  static let scheduledAt = """
    ALTER TABLE operation ADD COLUMN scheduled_at INTEGER NOT NULL DEFAULT 0;
    CREATE INDEX operation_scheduled ON operation (scheduled_at, id) WHERE finished_at IS NULL;
    """
}
