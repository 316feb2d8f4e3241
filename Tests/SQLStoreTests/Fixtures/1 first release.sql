PRAGMA foreign_keys=OFF;
BEGIN TRANSACTION;
CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
INSERT INTO grdb_migrations VALUES('1 first release');
CREATE TABLE setting (
  key TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT;
INSERT INTO setting VALUES('installation_id','9f0c1e52-0a64-4c5e-9f6e-0d3b5a3f7c11');
INSERT INTO setting VALUES('address_cursor 127.80.0.0/16','127.80.0.9');
CREATE TABLE location (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  code TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  country_code TEXT NOT NULL,
  country_name TEXT NOT NULL,
  is_active INTEGER NOT NULL CHECK (is_active IN (0, 1))
) STRICT;
INSERT INTO location VALUES(1,'us-west','US West','US','United States',1);
INSERT INTO location VALUES(2,'us-east','US East','US','United States',1);
CREATE TABLE plan (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  slug TEXT NOT NULL UNIQUE,
  description TEXT NOT NULL,
  vcpus INTEGER NOT NULL CHECK (vcpus > 0),
  memory_mib INTEGER NOT NULL CHECK (memory_mib > 0),
  storage_gib INTEGER NOT NULL CHECK (storage_gib > 0),
  bandwidth_gb INTEGER NOT NULL CHECK (bandwidth_gb >= 0),
  price_per_hour INTEGER NOT NULL CHECK (price_per_hour >= 0),
  is_available INTEGER NOT NULL CHECK (is_available IN (0, 1))
) STRICT;
INSERT INTO "plan" VALUES(1,'Standard VPS','standard','2 vCPU, 4 GiB memory, 80 GiB storage.',2,4096,80,2048,30000,1);
INSERT INTO "plan" VALUES(3,'Nano VPS','nano','1 vCPU, 512 MiB memory, 5 GiB storage.',1,512,5,512,5000,1);
CREATE TABLE plan_location (
  plan_id INTEGER NOT NULL REFERENCES plan (id),
  position INTEGER NOT NULL,
  location TEXT NOT NULL REFERENCES location (code),
  PRIMARY KEY (plan_id, location)
) STRICT;
INSERT INTO plan_location VALUES(1,0,'us-west');
INSERT INTO plan_location VALUES(1,1,'us-east');
INSERT INTO plan_location VALUES(3,0,'us-west');
INSERT INTO plan_location VALUES(3,1,'us-east');
CREATE TABLE operating_system (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL,
  slug TEXT NOT NULL UNIQUE,
  family TEXT NOT NULL,
  version TEXT NOT NULL,
  image_name TEXT NOT NULL,
  is_available INTEGER NOT NULL CHECK (is_available IN (0, 1))
) STRICT;
INSERT INTO operating_system VALUES(3,'Debian 12','debian-12','debian','12','debian-12',1);
CREATE TABLE account (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  email TEXT NOT NULL UNIQUE,
  balance INTEGER NOT NULL DEFAULT 0 CHECK (balance >= 0),
  created_at INTEGER NOT NULL
) STRICT;
INSERT INTO account VALUES(1,'owner@example.com',99955000,1737000000000);
INSERT INTO account VALUES(2,'other@example.com',995000,1737000000000);
CREATE TABLE token (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL REFERENCES account (id),
  name TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  permissions TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  last_used_at INTEGER,
  revoked_at INTEGER
) STRICT;
INSERT INTO token VALUES(1,1,'first start','da4b575ab0cb6f504d22e068f935d617cc60bf98765d4d7b58f9814b77ee4d2f','*:*',1737000000000,NULL,1737000000005,NULL);
INSERT INTO token VALUES(2,1,'revoked','1111111111111111111111111111111111111111111111111111111111111111','servers:read ssh_keys:*',1737000000000,1738000000000,NULL,1737000000007);
INSERT INTO token VALUES(3,2,'other','2222222222222222222222222222222222222222222222222222222222222222','servers:*',1737000000000,NULL,NULL,NULL);
CREATE TABLE ssh_key (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid TEXT NOT NULL UNIQUE,
  account_id INTEGER NOT NULL REFERENCES account (id),
  name TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  public_key TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER,
  UNIQUE (account_id, fingerprint)
) STRICT;
INSERT INTO ssh_key VALUES(1,'5a0e7c06-7d3a-4a3e-9d60-31a1a1a7d001',1,'laptop','SHA256:abc','ssh-ed25519 AAAA me@host',1737000000000,1737000000001);
CREATE TABLE server (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid TEXT NOT NULL UNIQUE,
  account_id INTEGER NOT NULL REFERENCES account (id),
  name TEXT NOT NULL,
  hostname TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN
    ('provisioning', 'active', 'stopping', 'stopped', 'starting', 'rebooting', 'suspended', 'error')),
  status_reason TEXT,
  plan_id INTEGER NOT NULL REFERENCES plan (id),
  operating_system_id INTEGER NOT NULL REFERENCES operating_system (id),
  location TEXT NOT NULL REFERENCES location (code),
  vcpus INTEGER NOT NULL,
  memory_mib INTEGER NOT NULL,
  storage_gib INTEGER NOT NULL,
  is_backup_enabled INTEGER NOT NULL CHECK (is_backup_enabled IN (0, 1)),
  image_version TEXT,
  authorized_key TEXT,
  root_password_hash TEXT,
  has_disk INTEGER NOT NULL DEFAULT 0 CHECK (has_disk IN (0, 1)),
  was_ever_ready INTEGER NOT NULL DEFAULT 0 CHECK (was_ever_ready IN (0, 1)),
  credit_hold INTEGER NOT NULL CHECK (credit_hold >= 0),
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  deleted_at INTEGER,
  erased_at INTEGER,
  CHECK (erased_at IS NULL OR (deleted_at IS NOT NULL AND credit_hold = 0))
) STRICT;
INSERT INTO server VALUES(1,'7f1e4c1a-3b5d-4e8f-9a6b-000000000001',1,'s-1','s-1.example.com','provisioning',NULL,3,3,'us-west',1,512,5,1,'12.15-1','ssh-ed25519 AAAA me@host','$y$j9T$x$y',1,0,5000,1737000000001,1737000000002,NULL,NULL);
INSERT INTO server VALUES(2,'7f1e4c1a-3b5d-4e8f-9a6b-000000000002',2,'s-2','s-2.example.com','provisioning',NULL,3,3,'us-west',1,512,5,0,NULL,'ssh-ed25519 AAAA me@host',NULL,0,0,5000,1737000000002,1737000000003,NULL,NULL);
INSERT INTO server VALUES(3,'7f1e4c1a-3b5d-4e8f-9a6b-000000000003',1,'s-3','s-3.example.com','active',NULL,3,3,'us-west',1,512,5,1,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000003,1737000000004,NULL,NULL);
INSERT INTO server VALUES(4,'7f1e4c1a-3b5d-4e8f-9a6b-000000000004',1,'s-4','s-4.example.com','stopping',NULL,3,3,'us-west',1,512,5,0,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000004,1737000000005,NULL,NULL);
INSERT INTO server VALUES(5,'7f1e4c1a-3b5d-4e8f-9a6b-000000000005',1,'s-5','s-5.example.com','stopped',NULL,3,3,'us-west',1,512,5,1,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000005,1737000000006,NULL,NULL);
INSERT INTO server VALUES(6,'7f1e4c1a-3b5d-4e8f-9a6b-000000000006',1,'s-6','s-6.example.com','starting',NULL,3,3,'us-west',1,512,5,0,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000006,1737000000007,NULL,NULL);
INSERT INTO server VALUES(7,'7f1e4c1a-3b5d-4e8f-9a6b-000000000007',1,'s-7','s-7.example.com','rebooting',NULL,3,3,'us-west',1,512,5,1,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000007,1737000000008,NULL,NULL);
INSERT INTO server VALUES(8,'7f1e4c1a-3b5d-4e8f-9a6b-000000000008',1,'s-8','s-8.example.com','error','The server did not become reachable in time.',3,3,'us-west',1,512,5,0,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,0,0,1737000000008,1737000000009,NULL,NULL);
INSERT INTO server VALUES(9,'7f1e4c1a-3b5d-4e8f-9a6b-000000000009',1,'s-9','s-9.example.com','suspended',NULL,3,3,'us-west',1,512,5,1,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000009,1737000000010,NULL,NULL);
INSERT INTO server VALUES(10,'7f1e4c1a-3b5d-4e8f-9a6b-000000000010',1,'s-10','s-10.example.com','active',NULL,3,3,'us-west',1,512,5,0,'12.15-1','ssh-ed25519 AAAA me@host',NULL,1,1,0,1737000000010,1737000000011,1737000000500,NULL);
INSERT INTO server VALUES(11,'7f1e4c1a-3b5d-4e8f-9a6b-000000000011',1,'s-11','s-11.example.com','active',NULL,3,3,'us-west',1,512,5,1,NULL,NULL,NULL,0,1,0,1737000000011,1737000000012,1737000000600,1737000000700);
CREATE TABLE address (
  number INTEGER PRIMARY KEY,
  server_id INTEGER NOT NULL UNIQUE REFERENCES server (id)
) STRICT;
INSERT INTO address VALUES(2135949313,1);
INSERT INTO address VALUES(2135949314,2);
INSERT INTO address VALUES(2135949315,3);
INSERT INTO address VALUES(2135949316,4);
INSERT INTO address VALUES(2135949317,5);
INSERT INTO address VALUES(2135949318,6);
INSERT INTO address VALUES(2135949319,7);
INSERT INTO address VALUES(2135949320,8);
INSERT INTO address VALUES(2135949321,9);
INSERT INTO address VALUES(2135949322,10);
CREATE TABLE ledger_entry (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL REFERENCES account (id),
  reason TEXT NOT NULL CHECK (reason IN ('credit', 'hold', 'release', 'charge')),
  amount INTEGER NOT NULL CHECK (
    CASE reason WHEN 'credit' THEN amount <> 0 WHEN 'release' THEN amount > 0 ELSE amount < 0 END),
  server_id INTEGER REFERENCES server (id),
  created_at INTEGER NOT NULL
) STRICT;
INSERT INTO ledger_entry VALUES(1,1,'credit',100000000,NULL,1737000000000);
INSERT INTO ledger_entry VALUES(2,2,'credit',1000000,NULL,1737000000000);
INSERT INTO ledger_entry VALUES(3,1,'hold',-5000,1,1737000000001);
INSERT INTO ledger_entry VALUES(4,2,'hold',-5000,2,1737000000002);
INSERT INTO ledger_entry VALUES(5,1,'hold',-5000,3,1737000000003);
INSERT INTO ledger_entry VALUES(6,1,'release',5000,3,1737000000003);
INSERT INTO ledger_entry VALUES(7,1,'charge',-5000,3,1737000000003);
INSERT INTO ledger_entry VALUES(8,1,'hold',-5000,4,1737000000004);
INSERT INTO ledger_entry VALUES(9,1,'release',5000,4,1737000000004);
INSERT INTO ledger_entry VALUES(10,1,'charge',-5000,4,1737000000004);
INSERT INTO ledger_entry VALUES(11,1,'hold',-5000,5,1737000000005);
INSERT INTO ledger_entry VALUES(12,1,'release',5000,5,1737000000005);
INSERT INTO ledger_entry VALUES(13,1,'charge',-5000,5,1737000000005);
INSERT INTO ledger_entry VALUES(14,1,'hold',-5000,6,1737000000006);
INSERT INTO ledger_entry VALUES(15,1,'release',5000,6,1737000000006);
INSERT INTO ledger_entry VALUES(16,1,'charge',-5000,6,1737000000006);
INSERT INTO ledger_entry VALUES(17,1,'hold',-5000,7,1737000000007);
INSERT INTO ledger_entry VALUES(18,1,'release',5000,7,1737000000007);
INSERT INTO ledger_entry VALUES(19,1,'charge',-5000,7,1737000000007);
INSERT INTO ledger_entry VALUES(20,1,'hold',-5000,8,1737000000008);
INSERT INTO ledger_entry VALUES(21,1,'release',5000,8,1737000000008);
INSERT INTO ledger_entry VALUES(22,1,'hold',-5000,9,1737000000009);
INSERT INTO ledger_entry VALUES(23,1,'release',5000,9,1737000000009);
INSERT INTO ledger_entry VALUES(24,1,'charge',-5000,9,1737000000009);
INSERT INTO ledger_entry VALUES(25,1,'hold',-5000,10,1737000000010);
INSERT INTO ledger_entry VALUES(26,1,'release',5000,10,1737000000010);
INSERT INTO ledger_entry VALUES(27,1,'charge',-5000,10,1737000000010);
INSERT INTO ledger_entry VALUES(28,1,'hold',-5000,11,1737000000011);
INSERT INTO ledger_entry VALUES(29,1,'release',5000,11,1737000000011);
INSERT INTO ledger_entry VALUES(30,1,'charge',-5000,11,1737000000011);
CREATE TABLE operation (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  server_id INTEGER NOT NULL REFERENCES server (id),
  kind TEXT NOT NULL CHECK (kind IN ('create', 'start', 'stop', 'reboot', 'recover', 'configure', 'delete')),
  state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
  step TEXT,
  failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0),
  step_started_at INTEGER,
  not_before INTEGER NOT NULL,
  lease_token TEXT,
  lease_expires_at INTEGER,
  requested_by INTEGER REFERENCES token (id),
  created_at INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER,
  customer_reason TEXT,
  operator_detail TEXT,
  CHECK ((finished_at IS NULL) = (state IN ('queued', 'running'))),
  CHECK ((lease_token IS NULL) = (lease_expires_at IS NULL)),
  CHECK (lease_token IS NULL OR state = 'running')
) STRICT;
INSERT INTO operation VALUES(1,1,'create','running','awaitReady',2,1737000000001,1737000000000,'aaaaaaaa-0000-4000-8000-000000000001',1737000060000,1,1737000000001,1737000000001,NULL,NULL,'no banner');
INSERT INTO operation VALUES(2,2,'create','queued',NULL,0,NULL,1737000000000,NULL,NULL,3,1737000000002,NULL,NULL,NULL,NULL);
INSERT INTO operation VALUES(3,3,'create','succeeded',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000003,1737000000003,1737000000013,NULL,NULL);
INSERT INTO operation VALUES(4,3,'configure','queued',NULL,0,NULL,1737000000099,NULL,NULL,1,1737000000003,NULL,NULL,NULL,NULL);
INSERT INTO operation VALUES(5,4,'create','succeeded',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000004,1737000000004,1737000000014,NULL,NULL);
INSERT INTO operation VALUES(6,4,'stop','running','awaitOff',0,1737000000004,1737000000000,'aaaaaaaa-0000-4000-8000-000000000002',1737000060000,1,1737000000004,1737000000004,NULL,NULL,NULL);
INSERT INTO operation VALUES(7,5,'create','succeeded',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000005,1737000000005,1737000000015,NULL,NULL);
INSERT INTO operation VALUES(8,5,'stop','succeeded',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000005,1737000000005,1737000000015,NULL,NULL);
INSERT INTO operation VALUES(9,6,'start','running','define',0,1737000000006,1737000000000,'aaaaaaaa-0000-4000-8000-000000000003',1737000060000,1,1737000000006,1737000000006,NULL,NULL,NULL);
INSERT INTO operation VALUES(10,7,'reboot','queued',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000007,NULL,NULL,NULL,NULL);
INSERT INTO operation VALUES(11,8,'create','failed','awaitReady',0,NULL,1737000000000,NULL,NULL,1,1737000000008,1737000000008,1737000000018,'The server did not become reachable in time.','No SSH banner.');
INSERT INTO operation VALUES(12,9,'recover','succeeded',NULL,0,NULL,1737000000000,NULL,NULL,NULL,1737000000009,1737000000009,1737000000019,NULL,NULL);
INSERT INTO operation VALUES(13,10,'configure','cancelled',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000010,1737000000010,1737000000020,NULL,NULL);
INSERT INTO operation VALUES(14,10,'delete','queued',NULL,0,NULL,1737000000000,NULL,NULL,1,1737000000010,NULL,NULL,NULL,NULL);
INSERT INTO operation VALUES(15,11,'delete','succeeded','erase',0,NULL,1737000000000,NULL,NULL,1,1737000000011,1737000000011,1737000000021,NULL,NULL);
CREATE TABLE server_usage (
  server_id INTEGER PRIMARY KEY REFERENCES server (id),
  cpu_permille INTEGER NOT NULL,
  memory_used_mib INTEGER NOT NULL,
  disk_used_bytes INTEGER NOT NULL,
  month INTEGER NOT NULL,
  received_bytes INTEGER NOT NULL,
  sent_bytes INTEGER NOT NULL,
  boot_received_bytes INTEGER NOT NULL,
  boot_sent_bytes INTEGER NOT NULL,
  measured_at INTEGER NOT NULL
) STRICT;
INSERT INTO server_usage VALUES(3,125,300,1073741824,202501,1000,2000,10,20,1737000000050);
CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  account_id INTEGER NOT NULL REFERENCES account (id),
  token_id INTEGER REFERENCES token (id),
  server_id INTEGER REFERENCES server (id),
  action TEXT NOT NULL,
  detail TEXT
) STRICT;
INSERT INTO audit VALUES(1,1737000000000,1,1,3,'server.create',NULL);
INSERT INTO audit VALUES(2,1737000000001,1,1,3,'server.stop',NULL);
INSERT INTO audit VALUES(3,1737000000002,1,2,NULL,'ssh_key.create','SHA256:abc');
DELETE FROM sqlite_sequence;
INSERT INTO sqlite_sequence VALUES('location',2);
INSERT INTO sqlite_sequence VALUES('plan',3);
INSERT INTO sqlite_sequence VALUES('operating_system',3);
INSERT INTO sqlite_sequence VALUES('account',2);
INSERT INTO sqlite_sequence VALUES('token',3);
INSERT INTO sqlite_sequence VALUES('ssh_key',1);
INSERT INTO sqlite_sequence VALUES('ledger_entry',30);
INSERT INTO sqlite_sequence VALUES('server',11);
INSERT INTO sqlite_sequence VALUES('operation',15);
INSERT INTO sqlite_sequence VALUES('audit',3);
CREATE INDEX server_of_account ON server (account_id, id) WHERE deleted_at IS NULL;
CREATE INDEX server_not_erased ON server (id) WHERE erased_at IS NULL;
CREATE INDEX server_being_deleted ON server (id) WHERE deleted_at IS NOT NULL AND erased_at IS NULL;
CREATE INDEX ledger_entry_of_account ON ledger_entry (account_id, id);
CREATE TRIGGER ledger_entry_is_never_changed BEFORE UPDATE ON ledger_entry
  BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_entry_is_never_deleted BEFORE DELETE ON ledger_entry
  BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE INDEX operation_of_server ON operation (server_id, id);
CREATE INDEX operation_unfinished ON operation (server_id, id) WHERE finished_at IS NULL;
CREATE INDEX operation_due ON operation (not_before, id) WHERE finished_at IS NULL;
CREATE UNIQUE INDEX operation_running_once ON operation (server_id) WHERE state = 'running';
CREATE INDEX audit_of_account ON audit (account_id, id);
COMMIT;
