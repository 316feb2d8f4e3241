extension Schema {
  /// Several addresses a server, single IPv6 addresses, reserved addresses, and accounts whose servers may send mail.
  static let severalAddresses = """
    -- Of a single IPv6 address its first 64 bits, and its number orders the last 64 bits; 0 for all others.
    ALTER TABLE address ADD COLUMN base INTEGER NOT NULL DEFAULT 0;
    -- In which order a server was given its addresses of a family.
    ALTER TABLE address ADD COLUMN rank INTEGER NOT NULL DEFAULT 0;
    -- Its server has it no more, and the host is not yet known to have let go of it: it is nobody else's until then.
    ALTER TABLE address ADD COLUMN is_leaving INTEGER NOT NULL DEFAULT 0 CHECK (is_leaving IN (0, 1));
    ALTER TABLE address ADD COLUMN is_reserved INTEGER NOT NULL DEFAULT 0 CHECK (is_reserved IN (0, 1));
    DROP INDEX address_number;
    CREATE UNIQUE INDEX address_number ON address (family, base, number);
    DROP INDEX address_of_server;
    CREATE UNIQUE INDEX address_of_server ON address (server_id, family, rank) WHERE server_id IS NOT NULL;
    DROP INDEX address_released;
    CREATE INDEX address_released ON address (family, base, released_at, number) WHERE server_id IS NULL;

    -- Counts the changes of its addresses.
    ALTER TABLE server ADD COLUMN address_revision INTEGER NOT NULL DEFAULT 0 CHECK (address_revision >= 0);
    -- The newest of these that the host is known to have taken over.
    ALTER TABLE server ADD COLUMN address_applied_revision INTEGER NOT NULL DEFAULT 0
      CHECK (address_applied_revision BETWEEN 0 AND address_revision);
    CREATE INDEX server_awaiting_addresses ON server (host_id) WHERE address_applied_revision < address_revision;
    INSERT INTO operation_kind (kind) VALUES ('readdress');

    ALTER TABLE account ADD COLUMN may_mail INTEGER NOT NULL DEFAULT 0 CHECK (may_mail IN (0, 1));
    """
}
