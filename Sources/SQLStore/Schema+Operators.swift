extension Schema {
  /// Operators who are persons, and the indexes of their searches.
  static let operators = """
    -- Whoever is signed in to it works as an operator, too. Its tokens do not.
    ALTER TABLE account ADD COLUMN is_operator INTEGER NOT NULL DEFAULT 0 CHECK (is_operator IN (0, 1));

    -- The e-mail address in small letters, as the store makes them.
    ALTER TABLE account ADD COLUMN email_key TEXT NOT NULL DEFAULT '';
    UPDATE account SET email_key = lower(email);
    CREATE INDEX account_by_email ON account (email_key, id);

    -- Names are ASCII, of which every lower() makes the same.
    CREATE INDEX server_by_name ON server (lower(name), id) WHERE erased_at IS NULL;
    CREATE INDEX server_by_status ON server (status, id) WHERE deleted_at IS NULL AND erased_at IS NULL;
    CREATE INDEX server_of_customer ON server (account_id, id) WHERE erased_at IS NULL;
    CREATE INDEX server_of_system ON server (operating_system_id, image_version) WHERE erased_at IS NULL;
    """
}
