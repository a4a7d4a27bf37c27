import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What logging in through OpenID Connect keeps. */
export class OpenIdConnect1763700000006 implements MigrationInterface {
  readonly name = 'OpenIdConnect1763700000006';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE IF EXISTS oidc_onboarding, oidc_spent_state, oidc_session, oidc_account');
    await runner.query('ALTER TABLE haven_user DROP COLUMN cli_secret_expires_at');
  }
}

const statements = [
  // When the CLI secret ends; NULL: never.
  `ALTER TABLE haven_user ADD COLUMN cli_secret_expires_at timestamptz`,
  // refresh_token: sealed; what the provider is asked with whether the person may still log in. groups: all that it
  // named then, also those that are not kept as groups here, so that a change of the settings counts at once.
  // asking_until: some replica is asking; a refresh token may be used up by one use.
  `CREATE TABLE oidc_account (
    user_id integer PRIMARY KEY REFERENCES haven_user (id) ON DELETE CASCADE,
    refresh_token text,
    groups text[] NOT NULL DEFAULT '{}',
    asking_until timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
  )`,
  // id_token: sealed; the provider wants it back when this browser logs out there.
  `CREATE TABLE oidc_session (
    id_hash bytea PRIMARY KEY REFERENCES session (id_hash) ON DELETE CASCADE ON UPDATE CASCADE,
    id_token text NOT NULL
  )`,
  // The SHA-256 of the state of logins that came back from the provider: none comes back twice.
  `CREATE TABLE oidc_spent_state (
    state_hash bytea PRIMARY KEY,
    expires_at timestamptz NOT NULL
  )`,
  `CREATE INDEX oidc_spent_state_expiry ON oidc_spent_state (expires_at)`,
  // People whom the provider vouches for and who have yet to choose a name. person: sealed.
  `CREATE TABLE oidc_onboarding (
    id_hash bytea PRIMARY KEY,
    person text NOT NULL,
    expires_at timestamptz NOT NULL
  )`,
  `CREATE INDEX oidc_onboarding_expiry ON oidc_onboarding (expires_at)`,
];
