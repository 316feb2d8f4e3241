extension Schema {
  /// Of thousands of operations that wait for a boot, each under its lease, none is in the way of those that can be claimed.
  static let claimableOperations = """
    DROP INDEX operation_due;
    DROP INDEX operation_scheduled;
    CREATE INDEX operation_due ON operation (host_id, not_before, id)
      WHERE finished_at IS NULL AND lease_token IS NULL;
    CREATE INDEX operation_scheduled ON operation (host_id, scheduled_at, id)
      WHERE finished_at IS NULL AND lease_token IS NULL;
    CREATE INDEX operation_of_host ON operation (host_id, id) WHERE finished_at IS NULL;
    """
}
