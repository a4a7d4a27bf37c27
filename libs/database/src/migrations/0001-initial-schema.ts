import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The first schema: identity, projects, the artifact model with its history, upload sessions and the outbox.
 *
 * Names that clients sort by (repositories, tags) use the "C" collation: the OCI specification wants lexical
 * order, and byte order is the only one that an index, a page boundary and every client agree on.
 */
export class InitialSchema1763700000001 implements MigrationInterface {
  readonly name = 'InitialSchema1763700000001';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [...identity, ...artifacts, ...pushing, ...platform]) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE IF EXISTS setting, signing_key, access_epoch, outbox, upload, tag_event, tag, accessory,
      manifest_blob, manifest_reference, manifest, repository_blob, blob, repository, member, project, haven_user CASCADE`);
  }
}

const identity = [
  // Accounts are keyed by (source, external_id), never by name: a directory user called "admin" is somebody else.
  `CREATE TABLE haven_user (
    id serial PRIMARY KEY,
    source text NOT NULL DEFAULT 'local',
    external_id text NOT NULL,
    username text NOT NULL,
    email text,
    realname text NOT NULL DEFAULT '',
    comment text NOT NULL DEFAULT '',
    password_hash text,
    sysadmin boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz
  )`,
  `CREATE UNIQUE INDEX haven_user_identity ON haven_user (source, external_id) WHERE deleted_at IS NULL`,
  `CREATE UNIQUE INDEX haven_user_username ON haven_user (username) WHERE deleted_at IS NULL`,
  `CREATE UNIQUE INDEX haven_user_email ON haven_user (lower(email)) WHERE deleted_at IS NULL`,
  `CREATE TABLE project (
    id serial PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    public boolean NOT NULL DEFAULT false,
    owner_id integer NOT NULL REFERENCES haven_user (id),
    metadata jsonb NOT NULL DEFAULT '{}',
    storage_limit bigint NOT NULL DEFAULT -1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz
  )`,
  `CREATE UNIQUE INDEX project_name ON project (name) WHERE deleted_at IS NULL`,
  // Roles: 1 project admin, 2 developer, 3 guest, 4 maintainer, 5 limited guest (the numbers of the Harbor API).
  `CREATE TABLE member (
    id serial PRIMARY KEY,
    project_id integer NOT NULL REFERENCES project (id) ON DELETE CASCADE,
    user_id integer NOT NULL REFERENCES haven_user (id) ON DELETE CASCADE,
    role smallint NOT NULL CHECK (role BETWEEN 1 AND 5),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (project_id, user_id)
  )`,
  `CREATE INDEX member_user ON member (user_id)`,
];

const artifacts = [
  `CREATE TABLE repository (
    id bigserial PRIMARY KEY,
    project_id integer NOT NULL REFERENCES project (id),
    name text COLLATE "C" NOT NULL,
    description text NOT NULL DEFAULT '',
    pull_count bigint NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz
  )`,
  `CREATE UNIQUE INDEX repository_name ON repository (name) WHERE deleted_at IS NULL`,
  `CREATE INDEX repository_project ON repository (project_id, created_at DESC)`,
  // state: present, or deleting while garbage collection removes the bytes.
  `CREATE TABLE blob (
    digest text COLLATE "C" PRIMARY KEY,
    size bigint NOT NULL CHECK (size >= 0),
    state text NOT NULL DEFAULT 'present' CHECK (state IN ('present', 'deleting')),
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at timestamptz NOT NULL DEFAULT now()
  )`,
  // Which blobs a repository may serve: a digest alone opens nothing.
  `CREATE TABLE repository_blob (
    repository_id bigint NOT NULL REFERENCES repository (id) ON DELETE CASCADE,
    digest text COLLATE "C" NOT NULL REFERENCES blob (digest),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (repository_id, digest)
  )`,
  `CREATE INDEX repository_blob_digest ON repository_blob (digest)`,
  // size: bytes of the manifest itself; total_size: with everything it names, as the Harbor API reports it.
  `CREATE TABLE manifest (
    id bigserial PRIMARY KEY,
    repository_id bigint NOT NULL REFERENCES repository (id) ON DELETE CASCADE,
    digest text COLLATE "C" NOT NULL,
    media_type text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('image', 'index', 'other')),
    artifact_type text NOT NULL DEFAULT '',
    config_media_type text NOT NULL DEFAULT '',
    type text NOT NULL DEFAULT 'UNKNOWN',
    size bigint NOT NULL,
    total_size bigint NOT NULL,
    annotations jsonb,
    extra_attrs jsonb NOT NULL DEFAULT '{}',
    subject_digest text COLLATE "C",
    pushed_at timestamptz NOT NULL DEFAULT now(),
    pushed_by text NOT NULL DEFAULT '',
    pulled_at timestamptz,
    deleted_at timestamptz,
    UNIQUE (repository_id, digest)
  )`,
  `CREATE INDEX manifest_listing ON manifest (repository_id, pushed_at DESC, id DESC) WHERE deleted_at IS NULL`,
  `CREATE INDEX manifest_subject ON manifest (repository_id, subject_digest, digest) WHERE subject_digest IS NOT NULL AND deleted_at IS NULL`,
  // Index to child. The child may be absent (a sparse index), so it is named by digest.
  `CREATE TABLE manifest_reference (
    parent_id bigint NOT NULL REFERENCES manifest (id) ON DELETE CASCADE,
    position integer NOT NULL,
    repository_id bigint NOT NULL,
    child_digest text COLLATE "C" NOT NULL,
    media_type text NOT NULL DEFAULT '',
    size bigint NOT NULL,
    platform jsonb,
    annotations jsonb,
    urls jsonb,
    PRIMARY KEY (parent_id, position)
  )`,
  `CREATE INDEX manifest_reference_child ON manifest_reference (repository_id, child_digest)`,
  `CREATE TABLE manifest_blob (
    manifest_id bigint NOT NULL REFERENCES manifest (id) ON DELETE CASCADE,
    digest text COLLATE "C" NOT NULL,
    repository_id bigint NOT NULL,
    PRIMARY KEY (manifest_id, digest)
  )`,
  `CREATE INDEX manifest_blob_digest ON manifest_blob (digest, repository_id)`,
  `CREATE TABLE accessory (
    id bigserial PRIMARY KEY,
    manifest_id bigint NOT NULL REFERENCES manifest (id) ON DELETE CASCADE,
    repository_id bigint NOT NULL,
    subject_digest text COLLATE "C" NOT NULL,
    type text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (manifest_id, subject_digest)
  )`,
  `CREATE INDEX accessory_subject ON accessory (repository_id, subject_digest)`,
  `CREATE TABLE tag (
    id bigserial PRIMARY KEY,
    repository_id bigint NOT NULL REFERENCES repository (id) ON DELETE CASCADE,
    name text COLLATE "C" NOT NULL,
    manifest_id bigint NOT NULL REFERENCES manifest (id) ON DELETE CASCADE,
    pushed_at timestamptz NOT NULL DEFAULT now(),
    pulled_at timestamptz,
    UNIQUE (repository_id, name)
  )`,
  `CREATE INDEX tag_manifest ON tag (manifest_id)`,
  `CREATE TABLE tag_event (
    id bigserial PRIMARY KEY,
    repository_id bigint NOT NULL REFERENCES repository (id) ON DELETE CASCADE,
    tag text COLLATE "C" NOT NULL,
    kind text NOT NULL CHECK (kind IN ('create', 'move', 'delete', 'restore')),
    from_digest text COLLATE "C",
    to_digest text COLLATE "C",
    actor text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
  )`,
  `CREATE INDEX tag_event_tag ON tag_event (repository_id, tag, id)`,
];

const pushing = [
  // state: what the storage driver needs to go on with the upload (opaque here); received: bytes so far;
  // version and writing fence off a second writer, also one in another process..
  `CREATE TABLE upload (
    id uuid PRIMARY KEY,
    repository text COLLATE "C" NOT NULL,
    project_id integer NOT NULL REFERENCES project (id),
    subject text NOT NULL,
    state jsonb NOT NULL,
    received bigint NOT NULL DEFAULT 0,
    version integer NOT NULL DEFAULT 0,
    writing boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
  )`,
  `CREATE INDEX upload_age ON upload (updated_at)`,
  // Change and event commit together. delivered_at: the queue took it; handled_at: everybody who wanted it has it.
  `CREATE TABLE outbox (
    id bigserial PRIMARY KEY,
    event_id uuid NOT NULL DEFAULT gen_random_uuid(),
    type text NOT NULL,
    payload jsonb NOT NULL,
    actor text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    delivered_at timestamptz,
    handled_at timestamptz
  )`,
  `CREATE INDEX outbox_waiting ON outbox (id) WHERE handled_at IS NULL`,
  `CREATE INDEX outbox_unhandled ON outbox (event_id) WHERE handled_at IS NULL`,
];

const platform = [
  // Registry tokens issued before not_before to this subject or project are refused: 'user:3', 'robot:7', 'project:5'.
  `CREATE TABLE access_epoch (
    subject text PRIMARY KEY,
    not_before timestamptz NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
  )`,
  `CREATE INDEX access_epoch_changed ON access_epoch (changed_at)`,
  // The private half is sealed with AES-256-GCM under the platform's key file.
  `CREATE TABLE signing_key (
    kid text PRIMARY KEY,
    public_jwk jsonb NOT NULL,
    sealed_private_jwk text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    retired_at timestamptz
  )`,
  `CREATE TABLE setting (
    key text PRIMARY KEY,
    value jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now()
  )`,
];
